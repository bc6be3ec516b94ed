package classify

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire/csv"
)

// table reads a table of separated values. Where no mapping looks into it, the
// columns whose heading is plainly that of personal data are taken as that,
// each row being about a person of its own.
func (w *walk) table(n *node, l *leaf, g int32, _ string) {
	if l != nil || n != nil && n.opens {
		w.tell(n, l, g, csv.Read)
		return
	}
	d := document{w: w, at: cursor{node: columns, group: g}, fold: heading}
	d.read(w.s, csv.Read)
}

// columnsOf are the headings that leave no doubt, as exports of shops, mailing
// lists and directories have them, in lower case and without signs between the
// words. What may mean something else (name of a product, number of an order)
// is not here: it stays unclassified, which is never taken for nothing.
var columnsOf = map[string]string{
	"user.contact.email": `email mail emailaddress mailaddress emailadresse useremail contactemail customeremail primaryemail
		recipientemail email1 workemail privateemail billingemail shippingemail correo correoelectronico courriel adresseemail`,
	"user.name":       `fullname customername recipientname contactname personname displayname nameofperson vollername nomcomplet nombrecompleto`,
	"user.name.first": `firstname fname givenname vorname prenom nombre forename`,
	"user.name.last":  `lastname lname surname familyname nachname nomdefamille apellido apellidos`,
	"user.contact.phone_number": `phone phonenumber mobile mobilephone mobilenumber cell cellphone telephone tel telefon
		telefonnummer handy handynummer telephonenumber contactphone workphone homephone telefono`,
	"user.contact.address.street":                       `street streetaddress addressline1 addressline2 address1 address2 strasse straße rue calle`,
	"user.contact.address.city":                         `city town ort stadt ville ciudad`,
	"user.contact.address.postal_code":                  `zip zipcode postalcode postcode plz postleitzahl codepostal codigopostal`,
	"user.contact.address.state":                        `province bundesland`,
	"user.contact.address.country":                      `country countrycode land pays`,
	"user.contact.address":                              `address postaladdress homeaddress billingaddress shippingaddress anschrift`,
	"user.demographic.date_of_birth":                    `birthday birthdate dateofbirth dob geburtsdatum geburtstag datedenaissance fechadenacimiento`,
	"user.demographic.gender":                           `gender sex geschlecht`,
	"user.account.username":                             `username login userlogin benutzername nickname`,
	"user.unique_id":                                    `userid customerid memberid subscriberid employeeid kundennummer`,
	"user.device.ip_address":                            `ip ipaddress clientip remoteip`,
	"user.job_title":                                    `jobtitle`,
	"user.contact.organization":                         `company companyname organization organisation firma`,
	"user.government_id.national_identification_number": `ssn socialsecuritynumber nationalid nationalidnumber personalid`,
	"user.financial.bank_account":                       `iban bankaccount accountiban`,
	"user.financial.credit_card":                        `creditcard creditcardnumber cardnumber`,
}

// heading is how a column's name is looked up.
func heading(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-./:*()#", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// rowSubject is the subjects path of rows that no mapping knows; mappings have
// lower numbers.
const rowSubject int32 = 1 << 30

var columns = func() *node {
	row := &node{subject: rowSubject}
	for key, names := range columnsOf {
		c := exposure.MustCategory(key)
		_, identifies := exposure.KindOf(c)
		for name := range strings.FieldsSeq(names) {
			row.keys = append(row.keys, edge{name, &node{subject: noSubject, leaf: &leaf{category: c, identifies: identifies, subject: rowSubject}}})
		}
	}
	table := &node{subject: noSubject, elem: row}
	if err := table.finish(); err != nil {
		panic("classify: " + err.Error())
	}
	return table
}()
