package jxl

import "fmt"

// node is a decision of a meta-adaptive tree, or a leaf (annex H.4.1).
type node struct {
	property int32 // -1: a leaf
	value    int32 // of the property: above goes left
	left     uint32
	right    uint32
	leaf
}

// leaf says how samples are coded that come to it.
type leaf struct {
	predictor  uint8
	cluster    uint8
	offset     int32
	multiplier int32
}

// Properties that nodes ask for (table H.4).
const (
	propChannel = iota
	propStream
	propY
	propX
	propAbsN
	propAbsW
	propN
	propW
	propGradientError // of the sample to the left
	propGradient
	propWNW
	propNWN
	propNNE
	propNNN
	propWWW
	propWeighted
	propsOwn  // those of channels before begin here, four each
	propsEach = 4
)

// Contexts of the numbers that a tree is written in.
const (
	treeValue = iota
	treeProperty
	treePredictor
	treeOffset
	treeLog
	treeMultiplier
	treeContexts
)

const (
	maxProperty = 255 + propsOwn
	weighted    = 6 // the predictor that has a state
	predictors  = 14
)

// tree is a meta-adaptive tree with the code of its leaves.
type tree struct {
	code *code
	view // all of it
}

// view is the part of a tree that a channel of a stream can come to.
type view struct {
	nodes []node
	top   int32 // highest property that is asked for, -1 if none is
	state bool  // whether the weighted predictor is needed
}

func (v *view) add(n node) {
	v.top = max(v.top, n.property)
	v.state = v.state || n.property == propWeighted || n.property < 0 && n.predictor == weighted
	v.nodes = append(v.nodes, n)
}

// readTree reads a tree of up to limit nodes, and the code that it leads to.
func readTree(r *bitReader, limit int) (*tree, error) {
	c, err := readCode(r, treeContexts)
	if err != nil {
		return nil, err
	}
	t := &tree{view: view{top: -1}}
	s := newSymbols(c, r, 0)
	leaves := uint32(0)
	var clusters []uint32 // by node: which leaf it is
	for todo := 1; todo > 0; todo-- {
		if len(t.nodes) >= limit {
			return nil, FormatError(fmt.Sprintf("a tree of more than %d nodes", limit))
		}
		n, err := readNode(s)
		if err != nil {
			return nil, err
		}
		if n.property >= 0 {
			n.left = uint32(len(t.nodes) + todo)
			n.right = n.left + 1
			todo += 2
		}
		clusters = append(clusters, leaves)
		t.add(n)
		if n.property < 0 {
			leaves++
		}
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.code, err = readCode(r, int(leaves)); err != nil {
		return nil, err
	}
	for i := range t.nodes {
		if t.nodes[i].property < 0 {
			t.nodes[i].cluster = t.code.clusters[clusters[i]]
		}
	}
	return t, nil
}

func readNode(s *symbols) (n node, err error) {
	p := s.read(treeProperty)
	if p > maxProperty {
		return n, FormatError("a tree asks for a property that is not known")
	}
	if n.property = int32(p) - 1; n.property >= 0 {
		n.value = unpack(s.read(treeValue))
		return n, s.r.err()
	}
	predictor := s.read(treePredictor)
	n.offset = unpack(s.read(treeOffset))
	log, mul := s.read(treeLog), uint64(s.read(treeMultiplier))+1
	if predictor >= predictors || log > 30 || mul<<log > 1<<31-1 {
		return n, FormatError("a leaf of a tree is not known")
	}
	n.predictor, n.multiplier = uint8(predictor), int32(mul<<log)
	return n, s.r.err()
}

// maxDepth is how many decisions may follow each other.
const maxDepth = 2048

// check holds that no tree is deeper than maxDepth.
func (t *tree) check() error {
	depth := make([]int, len(t.nodes))
	for i, n := range t.nodes {
		if n.property < 0 {
			continue
		}
		if depth[i] >= maxDepth {
			return FormatError(fmt.Sprintf("a tree deeper than %d", maxDepth))
		}
		depth[n.left], depth[n.right] = depth[i]+1, depth[i]+1
	}
	return nil
}

// prune returns what of t a channel of a stream can come to. A tree larger than the channel, of
// so many samples, is left as it is.
func (t *tree) prune(channel, stream, samples int) view {
	if len(t.nodes) > samples {
		return t.view
	}
	fixed := [2]int32{propChannel: int32(channel), propStream: int32(stream)}
	settle := func(at uint32) uint32 {
		for {
			n := &t.nodes[at]
			if n.property < 0 || n.property > propStream {
				return at
			}
			if at = n.right; fixed[n.property] > n.value {
				at = n.left
			}
		}
	}
	v := view{top: -1}
	queue := []uint32{settle(0)}
	for i := 0; i < len(queue); i++ {
		n := t.nodes[queue[i]]
		if n.property >= 0 {
			left := uint32(len(queue))
			queue = append(queue, settle(n.left), settle(n.right))
			n.left, n.right = left, left+1
		}
		v.add(n)
	}
	return v
}
