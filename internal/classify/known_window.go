package classify

import "strings"

// window holds the last words of a text.
type window struct {
	n      int // words so far, up to maxWindow
	number int // of the last word
	at     int // where the last word is in the ring
	ring   [maxWindow]struct {
		word       [64]byte
		length     int
		start, end int
	}
	buf []byte
}

func (w *window) reset() { w.n, w.number, w.at = 0, 0, 0 }

func (w *window) push(word string, start, end int) (number int) {
	w.at = (w.at + 1) % maxWindow
	slot := &w.ring[w.at]
	slot.length = copy(slot.word[:], word)
	slot.start, slot.end = start, end
	w.n = min(w.n+1, maxWindow)
	w.number++
	return w.number
}

// last is the word that back others follow. It is good until the next push.
func (w *window) last(back int) string {
	slot := &w.ring[(w.at-back+maxWindow)%maxWindow]
	return string(slot.word[:slot.length])
}

// span is where the last count words stand.
func (w *window) span(count int) (start, end int) {
	return w.ring[(w.at-count+1+maxWindow)%maxWindow].start, w.ring[w.at].end
}

// join is the last count words with a blank between.
func (w *window) join(count int) string {
	w.buf = w.buf[:0]
	for back := count - 1; back >= 0; back-- {
		slot := &w.ring[(w.at-back+maxWindow)%maxWindow]
		w.buf = append(w.buf, slot.word[:slot.length]...)
		if back > 0 {
			w.buf = append(w.buf, ' ')
		}
	}
	return string(w.buf)
}

// street is the last count words as streetRow writes them; false when they
// cannot be a street, which most cannot.
func (w *window) street(count int) (string, bool) {
	first, last := &w.ring[(w.at-count+1+maxWindow)%maxWindow], &w.ring[w.at]
	if startsWithDigit(string(first.word[:min(1, first.length)])) == startsWithDigit(string(last.word[:min(1, last.length)])) {
		return "", false
	}
	words := make([]string, count)
	for i := range words {
		words[i] = streetWord(strings.Clone(w.last(count - 1 - i)))
	}
	return streetRow(words)
}
