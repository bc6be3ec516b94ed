package clients

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// signed is a shape's auth of vendors that want AWS Signature Version 4.
const (
	signed    = "AWS Signature Version 4"
	awsKey    = "AKIACORDON"
	awsSecret = "secret-that-only-cordon-holds"
)

// verifySigV4 signs what came with Amazon's own Go code and compares. An app's own
// signature, made with another key for another host, is refused.
func verifySigV4(r *http.Request, body []byte) error {
	given := r.Header.Get("Authorization")
	_, list, _ := strings.Cut(given, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != hash {
		return fmt.Errorf("the body's hash is not what X-Amz-Content-Sha256 says")
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.RequestURI(), nil)
	if err != nil {
		return err
	}
	for _, name := range strings.Split(list, ";") {
		if name == "content-length" {
			again.ContentLength = int64(len(body))
		} else if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: awsKey, SecretAccessKey: awsSecret}, again, hash, "ses", "us-east-1", at)
	if err != nil {
		return err
	}
	if want := again.Header.Get("Authorization"); given != want {
		return fmt.Errorf("given %q, computed %q", given, want)
	}
	return nil
}
