package ul

// Bounds of what HoldMessage keeps back.
const (
	maxHeld  = 32 << 10 // bytes; then all of it goes out
	keptHeld = 4 << 10  // bytes of memory that a Conn keeps for the next time
)

// HoldMessage is WriteMessage for a message that another follows at once: it may be kept
// back and go out in one write with the next, in order. The caller must send one with
// WriteMessage in the end.
func (c *Conn) HoldMessage(context byte, command, data []byte) error {
	c.msg.Lock()
	defer c.msg.Unlock()
	if len(command) > c.fragment || len(data) > min(c.fragment, maxHeld) {
		return c.writeMessage(context, command, data)
	}
	c.hold(context, command, data)
	if len(c.held) < maxHeld {
		return nil
	}
	return c.flush()
}

// hold appends a message of at most a fragment each for command and data. msg is held.
func (c *Conn) hold(context byte, command, data []byte) {
	c.held = AppendPData(c.held, context, true, true, command)
	if data != nil {
		c.held = AppendPData(c.held, context, false, true, data)
	}
}

// flush sends what was kept back. msg is held.
func (c *Conn) flush() error {
	if len(c.held) == 0 {
		return nil
	}
	err := c.cut(c.data(c.held, nil), true)
	if c.held = c.held[:0]; cap(c.held) > keptHeld {
		c.held = nil
	}
	return err
}
