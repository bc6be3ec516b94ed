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
