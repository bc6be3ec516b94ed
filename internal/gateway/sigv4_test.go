package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The vectors of Amazon's "aws-sig-v4-test-suite", and of the example in the
// general reference (IAM ListUsers).
func TestSignaturesAreThoseOfAmazonsOwnSuite(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	const session = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for _, v := range []struct{ name, method, path, query, contentType, body, session, signature string }{
		{"get-vanilla", "GET", "/", "", "", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "/", "", "", "", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-vanilla-query", "POST", "/", "Param1=value1", "", "", "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
		{"get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", "", "", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-query-order-key", "GET", "/", "Param1=value2&Param1=Value1", "", "", "", "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
		{"get-vanilla-query-order-encoded", "GET", "/", "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "", "", "", "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
		{"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", "", "", "", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{"get-space", "GET", "/example space/", "", "", "", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
		{"post-x-www-form-urlencoded", "POST", "/", "", "application/x-www-form-urlencoded", "Param1=value1", "", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		{"get-vanilla-with-session-token", "GET", "/", "", "", "", session, "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
		{"get-slash (normalised)", "GET", "//", "", "", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-relative (normalised)", "GET", "/example/..", "", "", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"iam ListUsers", "GET", "/", "Action=ListUsers&Version=2010-05-08", "application/x-www-form-urlencoded; charset=utf-8", "", "", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	} {
		host, service := "example.amazonaws.com", "service"
		if strings.HasPrefix(v.name, "iam") {
			host, service = "iam.amazonaws.com", "iam"
		}
		s, err := newSigv4("AKIDEXAMPLE", secret, "us-east-1", service, host)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{"X-Amz-Date": {at.Format(sigv4Time)}}
		if v.contentType != "" {
			h["Content-Type"] = []string{v.contentType}
		}
		if v.session != "" {
			h["X-Amz-Security-Token"] = []string{v.session}
		}
		got := s.authorization(v.method, host, v.path, v.query, h, hexSum([]byte(v.body)), at)
		if !strings.HasSuffix(got, "Signature="+v.signature) {
			t.Errorf("%s: %s, want %s", v.name, got, v.signature)
		}
	}
}

func TestRegionAndServiceComeFromTheHost(t *testing.T) {
	for host, want := range map[string][2]string{
		"email.eu-west-1.amazonaws.com":      {"ses", "eu-west-1"},
		"sns.cn-north-1.amazonaws.com.cn":    {"sns", "cn-north-1"},
		"b.s3.us-east-2.amazonaws.com:443":   {"s3", "us-east-2"},
		"api.acme.example":                   {"", ""},
		"127.0.0.1:4566":                     {"", ""},
		"email.eu-west-1.amazonaws.com.evil": {"", ""},
	} {
		if service, region := amazonHost(host); service != want[0] || region != want[1] {
			t.Errorf("%s: %s in %s", host, service, region)
		}
	}
	if _, err := newSigv4("AKID", "x", "", "ses", "127.0.0.1"); err == nil {
		t.Error("signs for no region")
	}
}
