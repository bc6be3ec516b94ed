// Tablegen writes the tables that the detector reads telephone numbers and mail
// domains with: calling codes and their lengths as libphonenumber knows them,
// and the top-level domains of a public suffix list. It is run by hand when
// either has news: go run ./tablegen PUBLIC_SUFFIX_LIST .
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: tablegen PUBLIC_SUFFIX_LIST FOLDER")
	}
	domains, err := topLevel(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range map[string][]byte{"tlds.txt": domains, "codes.txt": codes()} {
		if err := os.WriteFile(filepath.Join(os.Args[2], name), content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// topLevel lists the last labels of the suffixes that ICANN's registries run.
func topLevel(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []string
	lines := bufio.NewScanner(f)
	for icann := false; lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.Contains(line, "===BEGIN ICANN"):
			icann = true
		case strings.Contains(line, "===END ICANN"):
			icann = false
		case icann && line != "" && !strings.HasPrefix(line, "//"):
			label := strings.TrimLeft(line[strings.LastIndexByte(line, '.')+1:], "!*")
			ascii, err := idna.ToASCII(label)
			if err != nil {
				return nil, fmt.Errorf("reading the suffix %q: %w", line, err)
			}
			list = append(list, label, ascii)
		}
	}
	slices.Sort(list)
	return []byte(strings.Join(slices.Compact(list), "\n") + "\n"), lines.Err()
}

// codes writes a line per calling code: the code, and the lengths that a number
// behind it may have.
func codes() []byte {
	var b bytes.Buffer
	var all []int
	for code := range phonenumbers.GetSupportedCallingCodes() {
		all = append(all, code)
	}
	slices.SortFunc(all, func(a, b int) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, code := range all {
		fmt.Fprint(&b, code)
		for n := 4; n+len(fmt.Sprint(code)) <= 15; n++ {
			national := uint64(2)
			for range n - 1 {
				national = national*10 + 2
			}
			c := int32(code)
			number := &phonenumbers.PhoneNumber{CountryCode: &c, NationalNumber: &national}
			if phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE {
				fmt.Fprint(&b, " ", n)
			}
		}
		fmt.Fprintln(&b)
	}
	return b.Bytes()
}
