package dict

import (
	"strings"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Private returns what is published of the private data element t in the block that
// creator reserved (PS3.5 7.8.1). Padding around creator is ignored. The entry's tag has
// zero for the block, whose number is the data set's own choice.
func Private(creator string, t tag.Tag) (Entry, bool) {
	if !t.IsPrivate() || t.Element() < 0x1000 {
		return Entry{}, false
	}
	c, ok := findCreator(strings.Trim(creator, " \x00"))
	if !ok {
		return Entry{}, false
	}
	group, last := uint32(t.Group()), uint32(t.Element()&0xFF)
	if i, ok := findPrivate(c, group<<8|last); ok {
		return privateAt(i, t, 0xFFFF00FF), true
	}
	if high := group >> 8; high == 0x60 || high == 0x70 {
		if i, ok := findPrivate(c, (group|0xFF)<<8|last); ok {
			return privateAt(i, t, 0xFF0000FF), true
		}
	}
	return Entry{}, false
}

func privateAt(i int, t, mask tag.Tag) Entry {
	fact := privateFacts[i]
	return Entry{
		Tag:     t & mask,
		Mask:    mask,
		Name:    privateNameText[privateNameStart[i]:privateNameStart[i+1]],
		VR:      vr.VR(privateVRs[i]),
		Choice:  choice(fact),
		VM:      privateVMText[privateVMStart[fact&factVM]:privateVMStart[fact&factVM+1]],
		Retired: fact&factRetired != 0,
	}
}

func findCreator(creator string) (int, bool) {
	low, high := 0, len(creatorStart)-1
	for low < high {
		mid := int(uint(low+high) >> 1)
		if creatorAt(mid) < creator {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(creatorStart)-1 && creatorAt(low) == creator
}

func creatorAt(i int) string { return creatorText[creatorStart[i]:creatorStart[i+1]] }

func findPrivate(creator int, key uint32) (int, bool) {
	low, high := int(creatorFirst[creator]), int(creatorFirst[creator+1])
	end := high
	for low < high {
		mid := int(uint(low+high) >> 1)
		if privateKeys[mid] < key {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < end && privateKeys[low] == key
}
