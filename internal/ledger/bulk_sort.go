package ledger

// sortTuples sorts by hash. All are of one part, so that their first bytes are
// equal; the keyed hash spreads the rest evenly, so three passes over 33 bits
// leave next to nothing to put right.
func sortTuples(a, scratch []tuple) []tuple {
	const bits, mask = 11, 1<<11 - 1
	if len(a) > 64 {
		if cap(scratch) < len(a) {
			scratch = make([]tuple, len(a))
		}
		b := scratch[:len(a)]
		for pass := range 3 {
			shift := 56 - 33 + bits*pass
			var at [mask + 1]int
			for i := range a {
				at[a[i].key>>shift&mask]++
			}
			sum := 0
			for i, n := range at {
				at[i] = sum
				sum += n
			}
			for i := range a {
				k := a[i].key >> shift & mask
				b[at[k]] = a[i]
				at[k]++
			}
			a, b = b, a
		}
	}
	for i := 1; i < len(a); i++ {
		for j := i; j > 0 && before(&a[j], &a[j-1]); j-- {
			a[j], a[j-1] = a[j-1], a[j]
		}
	}
	return a
}

func before(x, y *tuple) bool {
	switch {
	case x.key != y.key:
		return x.key < y.key
	case x.rest != y.rest:
		return x.rest < y.rest
	case x.ordinal != y.ordinal:
		return x.ordinal < y.ordinal
	}
	return x.place < y.place
}

func sameHash(x, y *tuple) bool { return x.key == y.key && x.rest == y.rest }
