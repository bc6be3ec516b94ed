package classify

import "cordon/internal/exposure"

// numbers looks for the last digits of people's telephone numbers wherever a
// row of digits ends, however the row is parted.
func (s *search) numbers() {
	var digits [32]byte // of the row, the last ones
	var starts [32]int  // where each stands
	n, last := 0, -2
	for i := 0; i < len(s.text); i++ {
		c := s.text[i]
		if c < '0' || c > '9' {
			continue
		}
		if n > 0 && !parted(s.text[last+1:i]) {
			n = 0
		}
		if n == len(digits) {
			n = copy(digits[:], digits[1:])
			copy(starts[:], starts[1:])
		}
		digits[n], starts[n] = c, i
		n++
		last = i
		if i+1 < len(s.text) && s.text[i+1] >= '0' && s.text[i+1] <= '9' || n < phoneTail-1 {
			continue
		}
		from := max(0, n-phoneTail)
		for i, needle := range s.of(s.known.Hash(phoneWord(string(digits[from:n])))) {
			if i > manyNamesakes {
				break
			}
			if needle.Category == exposure.Phone {
				start := s.numberStart(starts[:n], starts[from])
				s.hits = append(s.hits, sighting{start, last + 1, 0, needle.person, exposure.Phone, true})
			}
		}
	}
}

// numberStart is where the number of which a digit stands at from begins: with
// its country's code and area, as far as they stand in the same row.
func (s *search) numberStart(starts []int, from int) int {
	start := from
	for i := len(starts) - 1; i >= 0; i-- {
		if starts[i] < from && len(starts)-i <= 13 {
			start = starts[i]
		}
	}
	if start > 0 && s.text[start-1] == '+' {
		start--
	}
	return start
}

// parted reports whether what stands between two digits parts groups of one
// number.
func parted(between string) bool {
	if len(between) > 3 {
		return false
	}
	for i := 0; i < len(between); i++ {
		switch between[i] {
		case ' ', '-', '.', '(', ')', '/', 0xC2, 0xA0:
		default:
			return false
		}
	}
	return true
}
