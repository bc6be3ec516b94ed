package exec

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"os"
	"unicode/utf16"
)

// systemRoots are the places where Unix systems keep their roots, in the order
// in which crypto/x509 looks.
var systemRoots = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Gentoo
	"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL 6
	"/etc/ssl/ca-bundle.pem",                            // openSUSE
	"/etc/pki/tls/cacert.pem",                           // OpenELEC
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS, RHEL 7
	"/etc/ssl/cert.pem",                                 // Alpine, macOS, BSD
}

// withSystemRoots is our CA followed by the roots in force: SSL_CERT_FILE and
// its like replace the roots, and a command may speak TLS past the proxy (a
// database, SMTP). Without any file only our CA is trusted, which is enough
// for what goes through the proxy.
func withSystemRoots(ca []byte, inForce string) ([]byte, error) {
	places := systemRoots
	if inForce != "" {
		places = []string{inForce}
	}
	for _, place := range places {
		roots, err := os.ReadFile(place)
		if err == nil {
			return bytes.Join([][]byte{ca, roots}, []byte("\n")), nil
		}
		if inForce != "" {
			return nil, fmt.Errorf("reading the roots that SSL_CERT_FILE names: %w\ncorrect the variable, or unset it", err)
		}
	}
	return bytes.Clone(ca), nil
}

// keyStorePassword is Java's own for its roots; the store holds no secret.
const keyStorePassword = "changeit"

// keyStore writes PEM certificates as a Java key store (JKS version 2), which
// every Java reads. PKCS #12 would need keytool, or a cipher for certificates
// that are public: the format below is a list, and a SHA-1 that is no
// protection here since its password is known to all.
//
//	FEEDFEED, version, count
//	each: tag 2 (trusted certificate), alias, ms since 1970, "X.509", DER
//	SHA-1 over the password (UTF-16BE), "Mighty Aphrodite", all of the above
func keyStore(bundle []byte) ([]byte, error) {
	var entries bytes.Buffer
	count := uint32(0)
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		u32(&entries, 2)
		utf(&entries, fmt.Sprintf("cordon-%d", count))
		u32(&entries, 0)
		u32(&entries, 0)
		utf(&entries, "X.509")
		u32(&entries, uint32(len(block.Bytes)))
		entries.Write(block.Bytes)
		count++
	}
	if count == 0 {
		return nil, fmt.Errorf("the proxy's CA holds no certificate\ncheck the file ca.pem in the keys folder")
	}
	var store bytes.Buffer
	u32(&store, 0xFEEDFEED)
	u32(&store, 2)
	u32(&store, count)
	store.Write(entries.Bytes())

	sum := sha1.New()
	for _, unit := range utf16.Encode([]rune(keyStorePassword)) {
		sum.Write([]byte{byte(unit >> 8), byte(unit)})
	}
	sum.Write([]byte("Mighty Aphrodite"))
	sum.Write(store.Bytes())
	return sum.Sum(store.Bytes()), nil
}

func u32(b *bytes.Buffer, n uint32) { b.Write(binary.BigEndian.AppendUint32(nil, n)) }

// utf is Java's writeUTF for ASCII: two bytes of length, then the text.
func utf(b *bytes.Buffer, s string) {
	b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(s))))
	b.WriteString(s)
}
