package detect

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Top-level domains of IANA's registries, as tablegen found them in a public
// suffix list; and names that RFC 2606, RFC 6762 and private networks set
// aside: an address there is somebody's too, in tests and behind a firewall.
//
//go:embed tlds.txt
var tldList string

var tlds = func() *dictionary {
	all := map[string]meaning{"test": 0, "example": 0, "invalid": 0, "local": 0, "internal": 0, "lan": 0, "corp": 0, "home": 0}
	for line := range strings.Lines(tldList) {
		all[strings.TrimSuffix(line, "\n")] = 0
	}
	return newDictionary(all)
}()

const (
	maxLocal  = 64  // RFC 5321 section 4.5.3.1.1
	maxDomain = 253 // RFC 1035 section 2.3.4
)

// email reads the address around an @ that begins at at and ends before after.
func (sc *scanner) email(at, after int) int {
	s := sc.s
	if after < len(s) && isDigit(s[after]) { // left-pad@1.2.3 and logo@2x.png
		if i := dotted(s, after); i == len(s) || s[i]|0x20 == 'x' || !isWord(s[i]) && s[i] != '-' && s[i] != '.' {
			return i
		}
	}
	start := localStart(s, at, sc.floor)
	if start == at {
		return after
	}
	end := domainEnd(s, after)
	if end == after || notMail(s, start, at, after, end) {
		return max(after, min(end, len(s)))
	}
	if sc.messageID(start) {
		return end
	}
	return sc.hit(start, end, Email, false)
}

// localStart is where the local part before at begins; at when there is none.
// Letters of other alphabets belong to it (RFC 6531), but in scripts written
// without blanks only when the whole part is of that script: before
// 邮箱anna@example.com stands a word.
func localStart(s string, at, floor int) int {
	i := at
	wide, plain := false, false
	for i > floor && at-i < maxLocal {
		c := s[i-1]
		if c < utf8.RuneSelf {
			if class[c]&local == 0 {
				break
			}
			if wide && c != '.' {
				break
			}
			if c == '%' && i+2 <= at && class[s[i]]&class[s[i+1]]&hex != 0 && (s[i] != '2' || s[i+1]|0x20 != 'b') {
				i += 2 // an escape that is no plus: what stood before is a URL's syntax
				break
			}
			plain = plain || c != '.'
			i--
			continue
		}
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			break
		}
		if unspaced(r) {
			if plain {
				break
			}
			wide = true
		} else if wide {
			break
		}
		if i-n < floor {
			break
		}
		i -= n
	}
	for i < at && (s[i] == '.' || s[i] == '\'' || s[i] == '-' || s[i] == '+' || s[i] == '%') {
		i++
	}
	if at > i && (s[at-1] == '.' || s[at-1] == '%') {
		return at
	}
	if i > 0 && s[i-1] == '\\' { // text within JSON that nobody decoded
		switch {
		case at-i > 1 && (s[i] == 'n' || s[i] == 't' || s[i] == 'r'):
			i++
		case at-i > 5 && s[i] == 'u' && isHex(s[i+1:i+5]):
			i += 5
		}
	}
	return i
}

// domainEnd is where the domain that begins at i ends; i when there is none
// that ends in a top-level domain.
func domainEnd(s string, i int) int {
	end, dot := i, -1 // dot: the last one
	wide := false     // the label is of a script written without blanks
	label := i
	for end < len(s) && end-i < maxDomain {
		c := s[end]
		if c < utf8.RuneSelf {
			if class[c]&domain == 0 || c == '_' || wide && c != '.' && c != '-' {
				break
			}
			if c == '.' {
				if end == label { // an empty label
					break
				}
				dot, label, wide = end, end+1, false
			}
			end++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[end:])
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			break
		}
		if unspaced(r) {
			if end > label && !wide {
				break
			}
			wide = true
		} else if wide {
			break
		}
		end += n
	}
	// A sentence that goes on without a blank ("a@b.com.Thanks") has one label
	// too many.
	for range 2 {
		for end > i && (s[end-1] == '.' || s[end-1] == '-') {
			end--
		}
		if dot >= end || dot < 0 {
			dot = i + strings.LastIndexByte(s[i:end], '.')
		}
		if dot <= i {
			return i
		}
		if s[i] != '-' && isTLD(s[dot+1:end]) {
			return end
		}
		end, dot = dot, -1
	}
	return i
}

func isTLD(label string) bool {
	if len(label) < 2 || len(label) > 63 {
		return false
	}
	var buf [64]byte
	for i := 0; i < len(label); i++ {
		c := label[i]
		if c >= utf8.RuneSelf {
			_, ok := tlds.of([]byte(strings.ToLower(label)))
			return ok
		}
		if c-'A' < 26 {
			c |= 0x20
		}
		buf[i] = c
	}
	_, ok := tlds.of(buf[:len(label)])
	return ok
}

// notMail knows what looks like an address and is none: a file or a package
// with a scale or version behind the @ (logo@2x.mov, left-pad@1.2.3), a remote
// of git, and the user of a URL.
func notMail(s string, start, at, after, end int) bool {
	first := s[after:end]
	if dot := strings.IndexByte(first, '.'); dot >= 0 {
		second := first[dot+1:]
		first = first[:dot]
		if n := len(first); n >= 2 && first[n-1]|0x20 == 'x' && allDigits(first[:n-1]) {
			return true
		}
		if next := strings.IndexByte(second, '.'); next > 0 && allDigits(first) && (allDigits(second[:next]) || second[next-1]|0x20 == 'x' && allDigits(second[:next-1])) {
			return true
		}
	}
	if strings.HasPrefix(s[end:], ":") && end+1 < len(s) { // git@host:path
		switch user := s[start:at]; {
		case user == "git" || user == "hg" || user == "svn":
			return true
		case s[end+1] == '/' && !strings.HasPrefix(s[end+1:], "//") || s[end+1] == '~':
			return true
		}
	}
	if start == 0 {
		return false
	}
	switch s[start-1] {
	case '/':
		if start >= 2 && s[start-2] == '/' { // https://user@host
			return !strings.HasSuffix(strings.ToLower(s[max(0, start-9):start]), "mailto://")
		}
		return start >= 2 && s[start-2] == '@' // @scope/package@1.0
	case ' ', '\n', '"', '\'', '<', '(', '\t', ',', ';', '[', '>':
		return false
	}
	// https://user:password@host, whatever the password holds
	token := s[max(0, start-128):start]
	if space := strings.LastIndexAny(token, " \t\r\n\"'<>(),;"); space >= 0 {
		token = token[space+1:]
	}
	scheme := strings.LastIndex(token, "://")
	return scheme >= 0 && !strings.ContainsAny(token[scheme+3:], "/?#")
}

// messageID reports whether what begins at start is a message's identification
// (RFC 5322 section 3.6.4, RFC 2392), which has the form of an address: its
// header stands before it on the line, or its name is the key.
func (sc *scanner) messageID(start int) bool {
	if sc.idKey {
		return true
	}
	s := sc.s
	if start == 0 {
		return false
	}
	switch s[start-1] {
	case '<':
		from := start - 1
		for from > 0 && start-from < 256 && (s[from-1] != '\n' || from < len(s) && (s[from] == ' ' || s[from] == '\t')) {
			from--
		}
		line := s[from : start-1]
		for _, header := range identified {
			if i := indexFold(line, header); i >= 0 && (i == 0 || !isWord(line[i-1])) && onlyIDs(line[i+len(header):]) {
				return true
			}
		}
	case ':':
		return start >= 4 && (equalFold(s[start-4:start-1], "cid") || equalFold(s[start-4:start-1], "mid") || equalFold(s[start-4:start-1], "uid"))
	}
	return false
}

// onlyIDs reports whether nothing stands behind a header's name but others of
// its kind.
func onlyIDs(s string) bool {
	inside := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '<':
			inside = true
		case c == '>':
			inside = false
		case !inside && isWord(c):
			return false
		}
	}
	return true
}

var identified = []string{"message-id", "in-reply-to", "references", "content-id", "smtp-id", "message_id", "messageid", "msgid", "msg-id"}

// identifies reports whether a key's last name says that values are messages'
// identifications.
func identifies(key string) bool {
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		key = key[dot+1:]
	}
	var buf [24]byte
	n := 0
	for i := 0; i < len(key); i++ {
		if isLetter(key[i]) {
			if n == len(buf) {
				return false
			}
			buf[n] = key[i] | 0x20
			n++
		}
	}
	switch string(buf[:n]) {
	case "messageid", "msgid", "smtpid", "inreplyto", "references", "contentid", "cid", "xmessageid", "sgmessageid", "internetmessageid", "rfcmessageid", "originalmessageid":
		return true
	}
	return false
}

// indexFold is strings.Index for ASCII without regard to case.
func indexFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if equalFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}

func equalFold(a, b string) bool {
	for i := 0; i < len(a); i++ {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || !isLetter(x)) {
			return false
		}
	}
	return len(a) == len(b)
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if class[s[i]]&hex == 0 {
			return false
		}
	}
	return true
}
