package dimse

import "gantry/ul"

// maxWindow bounds the operations of one association that run at a time: each has a
// goroutine.
const maxWindow = 255

// answerWindow answers a proposed Asynchronous Operations Window (PS3.7 D.3.3.3) from the
// acceptor that lets most operations run at a time, either way. Zero proposes no limit.
func answerWindow(proposed ul.AsyncWindow, most int) *ul.AsyncWindow {
	return &ul.AsyncWindow{Invoked: narrow(proposed.Invoked, most), Performed: narrow(proposed.Performed, most)}
}

// proposeWindow is what a requestor proposes: nil, which is 1 both ways, unless n is more.
func proposeWindow(n int) *ul.AsyncWindow {
	if n <= 1 {
		return nil
	}
	w := uint16(min(n, maxWindow))
	return &ul.AsyncWindow{Invoked: w, Performed: w}
}

// windowOf returns how many operations the requestor may have running, and how many the
// acceptor may, by the acceptor's answer.
func windowOf(answer *ul.AsyncWindow) (invoked, performed int) {
	if answer == nil {
		return 1, 1
	}
	return int(narrow(answer.Invoked, maxWindow)), int(narrow(answer.Performed, maxWindow))
}

// narrow is the smaller of n, of which zero is no limit, and most, and at least 1.
func narrow(n uint16, most int) uint16 {
	if n == 0 || int(n) > most {
		return uint16(max(1, most))
	}
	return n
}
