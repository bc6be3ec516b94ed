package classify

import "testing"

func TestHeaderThatNobodyNamesIsOnRecord(t *testing.T) {
	m := message("/person", formType, "name=Ada")
	m.Header["X-On-Behalf-Of"] = []string{"Ada Lovelace <ada@example.org>"}
	m.Header["X-User-Name"] = []string{"Ada", "Lovelace"}
	m.Header["Cookie"] = []string{"who=ada"}
	for name, value := range map[string]string{
		"Authorization": "Basic YWRhOng=", "User-Agent": "acme/1 (ada-laptop; linux)", "accept": "*/*", "Content-Type": formType,
		"X-Stripe-Client-User-Agent": `{"uname":"Linux (builder@host)"}`, "Traceparent": "00-1-2-3", "Idempotency-Key": "7", "Sec-Fetch-Mode": "cors",
	} {
		m.Header[name] = []string{value}
	}
	f := read(t, flat, m)
	found := map[string]int{}
	for i, at := range f.Fields() {
		if at.src != inHeader || at.found() {
			continue
		}
		found[at.Path]++
		if out, err := f.Rewrite([]Edit{{Field: i, Drop: true}}); err != nil || at.Path == "Cookie:" && out.Header["Cookie"] != nil || len(m.Header["Cookie"]) != 1 {
			t.Errorf("dropped %s: %v, %v", at.Path, out.Header, err)
		}
	}
	if len(found) != 3 || found["X-On-Behalf-Of:"] != 1 || found["X-User-Name:"] != 2 || found["Cookie:"] != 1 {
		t.Errorf("found %v", found)
	}
}

func TestHeaderOfTheMessageThatIsAnAddressIsOnRecordTooUnlessItIsACredential(t *testing.T) {
	m := message("/person", formType, "name=Ada")
	m.Header["Authorization"] = []string{"Basic ada@example.org"}
	m.Header["X-Request-Id"] = []string{"ada@example.org"}
	f := read(t, flat, m)
	if n := len(f.Fields()); n != 3 || f.Fields()[0].Path != "X-Request-Id:" {
		t.Errorf("%d fields, the first at %s", n, f.Fields()[0].Path)
	}
}

func TestAnAddressInAHeaderOfTheMessageIsOnRecord(t *testing.T) {
	m := message("/person", formType, "name=Ada")
	m.Header["User-Agent"] = []string{"crawler/1.0 (write to carol@example.net)"}
	m.Header["X-Sdk-Version"] = []string{"@sendgrid/mail@8.1.6"}
	m.Header["X-Amz-Meta-Name"] = []string{"Carol Jones"}
	f := read(t, flat, m)
	found := map[string]int{}
	for _, at := range f.Fields() {
		found[at.Path+" "+at.Category.Key()]++
	}
	for _, want := range []string{"User-Agent: user.contact.email", "X-Amz-Meta-Name: unclassified"} {
		if found[want] != 1 {
			t.Errorf("%s is missing: %v", want, found)
		}
	}
	if found["X-Sdk-Version: unclassified"] != 0 {
		t.Error("a version is on record")
	}
}
