package classify

import "strings"

// Signed reports whether the app signed the message: changed, it would be
// refused by the vendor unless it is signed again.
func (f *Findings) Signed() bool {
	for name, values := range f.message.Header {
		switch name {
		case "Authorization":
			for _, v := range values {
				scheme, _, _ := strings.Cut(v, " ")
				if strings.HasPrefix(scheme, "AWS4-") || strings.EqualFold(scheme, "Signature") || strings.EqualFold(scheme, "OAuth") && strings.Contains(v, "oauth_signature=") {
					return true
				}
			}
		case "Signature-Input", "Signature":
			if len(values) > 0 {
				return true
			}
		}
	}
	return strings.Contains(f.message.Query, "X-Amz-Signature=") || strings.Contains(f.message.Query, "X-Goog-Signature=")
}
