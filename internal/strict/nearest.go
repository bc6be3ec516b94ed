package strict

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest finds the candidate that a person most likely meant, or "" when none
// is near. The last part of a dotted key counts as the key: "email" is near
// "user.contact.email".
func Nearest(word string, candidates []string) string {
	if len(word) > 128 { // nobody types that by mistake, and distance is quadratic
		return ""
	}
	lower := strings.ToLower(word)
	tail := lower[strings.LastIndexByte(lower, '.')+1:]
	best, bound := "", len(word)/3+2
	for _, c := range candidates {
		d := distance(lower, strings.ToLower(c))
		if tail != "" && strings.HasSuffix(c, "."+tail) {
			d = min(d, 1+strings.Count(c, ".")/2)
		}
		if d < bound {
			best, bound = c, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours that make b out of a (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// Suggest is the fix for a word that is not among the candidates: the nearest
// one, or all of them when they are few.
func Suggest(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(candidates) == 0 {
		return "remove it"
	}
	if len(candidates) > 30 {
		return fmt.Sprintf("it is one of %d names, such as %q", len(candidates), candidates[0])
	}
	sorted := slices.Sorted(slices.Values(candidates))
	return "it is one of: " + strings.Join(sorted, ", ")
}
