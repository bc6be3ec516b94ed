package classify

import "testing"

const variantMapping = `
  - {on: POST /x, subjects: 'batch[type=identify|alias]', fields: {traits.email: user.contact.email, name: user.name}}
  - {on: POST /x, subjects: 'batch[type=page]', fields: {name: user.behavior}}
  - {on: POST /x, subjects: 'batch[]', fields: {userId: user.unique_id, type: none}}
  - {on: POST /x, when: {operationName: customerCreate, v: ["1", "2"]}, fields: {variables.email: user.contact.email, operationName: none, v: none}}
`

func TestFiltersTakeTheElementsTheyName(t *testing.T) {
	want := `user_id=1 email=ada@example.org: user.unique_id batch[0].userId="1" user.contact.email batch[0].traits.email="ada@example.org" user.name batch[0].name="Ada"
		user_id=2: user.unique_id batch[1].userId="2" user.behavior batch[1].name="Home"
		user_id=3: unclassified batch[2].name="n" user.unique_id batch[2].userId="3"`
	f := read(t, variantMapping, message("/x", "application/json", `{"batch":[
		{"userId":"1","traits":{"email":"ada@example.org"},"name":"Ada","type":"identify"},
		{"type":"page","userId":"2","name":"Home"},
		{"name":"n","type":{"a":"identify"},"userId":"3"}]}`))
	if got := show(f); len(f.People()) < 3 {
		t.Error(got)
	}
	f = read(t, variantMapping, message("/x", "application/json", `{"batch":[
		{"userId":"1","traits":{"email":"ada@example.org"},"name":"Ada","type":"identify"},
		{"type":"page","userId":"2","name":"Home"},
		{"name":"n","type":"track","userId":"3"}]}`))
	expect(t, f, want)
	f = read(t, variantMapping, message("/x", formType, "batch[0][userId]=1&batch[0][traits][email]=ada@example.org&batch[0][name]=Ada&batch[0][type]=identify"+
		"&batch[1][userId]=2&batch[1][name]=Home&batch[1][type]=page&batch[2][name]=n&batch[2][type]=track&batch[2][userId]=3"))
	expect(t, f, want)
}

func TestConditionsOnTheMessageItself(t *testing.T) {
	for body, want := range map[string]string{
		`{"variables":{"email":"ada@example.org"},"operationName":"customerCreate","v":1}`:   `email=ada@example.org: user.contact.email variables.email="ada@example.org"`,
		`{"variables":{"email":"ada@example.org"},"operationName":"customerCreate","v":"2"}`: `email=ada@example.org: user.contact.email variables.email="ada@example.org"`,
		`{"variables":{"email":"ada@example.org"},"operationName":"customerCreate"}`:         `email=ada@example.org: user.contact.email variables.email="ada@example.org"` + "\n" + `: unclassified variables.email="ada@example.org" unclassified operationName="customerCreate"`,
		`{"variables":{"email":"ada@example.org"},"operationName":"shop","v":1}`:             `email=ada@example.org: user.contact.email variables.email="ada@example.org"` + "\n" + `: unclassified variables.email="ada@example.org" unclassified operationName="shop" unclassified v="1"`,
	} {
		expect(t, read(t, variantMapping, message("/x", "application/json", body)), want)
	}
}

// What a value is, the object around it may say only of an object within.
func TestConditionOnAKeyOfAnObjectWithin(t *testing.T) {
	const mapping = `
  - {on: POST /a, when: {subscription.type: Email}, fields: {subscription.token: user.contact.email}}
  - {on: POST /a, when: {subscription.type: SMS}, fields: {subscription.token: user.contact.phone_number}}
  - {on: POST /a, fields: {subscription.token: user.device.push_token, subscription.type: none, 'list[k.t=x].v': user.name, 'list[].v': none, 'list[].k': none, extra: none}}
`
	for body, want := range map[string]string{
		`{"subscription":{"type":"Email","token":"ada@x.example"}}`:                                   "\temail=ada@x.example: user.contact.email subscription.token=\"ada@x.example\"",
		`{"extra":{"type":"SMS"},"subscription":{"token":"ada@x.example","z":[1],"type":"Email"}}`:    "\temail=ada@x.example: user.contact.email subscription.token=\"ada@x.example\" unclassified subscription.z[0]=\"1\"",
		`{"subscription":{"type":"SMS","token":"+442071838750"}}`:                                     "\tphone=+442071838750: user.contact.phone_number subscription.token=\"+442071838750\"",
		`{"subscription":{"type":"AndroidPush","token":"abc"},"subscription.type":"SMS"}`:             "\t: user.device.push_token subscription.token=\"abc\" unclassified subscription.type=\"SMS\"",
		`{"list":[{"v":"Ada","k":{"t":"x"}},{"v":"7","k":{"t":"y"}},{"v":"8","k":"x"}]}`:              "\t: user.name list[0].v=\"Ada\"",
		`{"extra":{"subscription":{"type":"SMS"}},"subscription":{"token":"abc","type":{"SMS":"x"}}}`: "\t: user.device.push_token subscription.token=\"abc\"",
	} {
		expect(t, read(t, mapping, message("/a", "application/json", body)), want)
	}
	for form, want := range map[string]string{
		"subscription[token]=ada@x.example&subscription[type]=Email": "\temail=ada@x.example: user.contact.email subscription.token=\"ada@x.example\"",
		"subscription.token=abc&extra=Email":                         "\t: user.device.push_token subscription.token=\"abc\"",
	} {
		expect(t, read(t, mapping, message("/a", "application/x-www-form-urlencoded", form)), want)
	}
	const inXML = `
  - {on: POST /a, subjects: o, when: {s.type: Email}, fields: {s.token: user.contact.email}}
  - {on: POST /a, subjects: o, fields: {s.token: none, s.type: none}}
`
	f := read(t, inXML, message("/a", "application/xml", `<o><s><token>ada@x.example</token><type>Email</type></s></o>`))
	expect(t, f, "\temail=ada@x.example: user.contact.email o.s.token=\"ada@x.example\"")
}

func TestConditionOnTheObjectsOfAListWithin(t *testing.T) {
	const mapping = `
  - {on: POST /a, subjects: 'links[types.id=202]', fields: {to: user.unique_id}}
  - {on: POST /a, fields: {links: none, note: user.content.private}}
`
	expect(t, read(t, mapping, message("/a", "application/json",
		`{"note":"Hi","links":[{"to":"7","types":["x",{"id":202,"k":[1]}]},{"to":"8","types":[{"id":190},{"id":202}]},{"to":"9","types":[]}]}`)), `
	user_id=7: user.content.private note="Hi" user.unique_id links[0].to="7"`)
	f := read(t, mapping, message("/a", "application/json", `{"links":[{"to":"7","types":[{"id":2`))
	if len(f.Incomplete()) == 0 {
		t.Error("broken lists are no matter")
	}
}
