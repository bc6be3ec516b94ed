package detect

import "strings"

// What words mean. Most numbers in the world's messages are not personal, so
// there are more words that say what a number is not.
const (
	ofPhone  meaning = 1 << iota
	ofCall           // says so only of what looks like a telephone number
	ofCard           //
	ofBank           //
	ofIP             //
	ofHost           // an address of the network may follow, but so may a version
	ofThing          // an order, an invoice, a part: numbered, and nobody's
	ofTime           //
	ofAmount         //
	isID             // makes an id of the word before it: phone_id is no phone
	ofVersion
	ofTax // any country's number for taxes or of citizens
	ofSSN
	ofGermany
	ofFrance
	ofSpain
	ofItaly
	ofNetherlands
	ofPoland
	ofSweden
	ofFinland
	ofNHS
	ofInsurance
	ofBrazil
	ofCanada
	ofIndia
	ofIndiaPAN
	ofAustralia
	ofMedicare
	ofBelgium
	ofDenmark
	ofNorway
	ofSwitzerland
	ofAustria
	ofPortugal
	ofIreland
	ofCzechia
	ofRomania
	ofCroatia
	ofTurkey
	ofIsrael
	ofSouthAfrica
	ofKorea
	ofJapan
	ofChina
	ofSingapore
	ofMexico
	ofChile
	ofBulgaria
	ofGreece
	ofBaltic
	ofArgentina
	ofThailand
	ofTaiwan
	ofNumber // with ofMine before it, what can be called
	ofMine
	ofDialled // a key under which whole numbers stand, with the country and without a plus
	ofPlace   // behind a number, where it rings
	ofFile    // with ofTax before it, Australia's number

	// notPhone is what speaks against a telephone number however it is written,
	// notDigits also against a bare row of digits, notCard against a card.
	notPhone  = ofThing | ofCard | ofBank | ofVersion | isID | anyNational
	notDigits = notPhone | ofTime | ofAmount | ofIP
	notCard   = ofThing | ofTime | ofAmount | ofPhone | ofBank | ofVersion | isID
	// notNational speaks against a national number.
	notNational = ofThing | ofTime | ofAmount | ofPhone | ofCall | ofCard | ofBank | ofIP | ofVersion
	anyNational = ofTax | ofSSN | ofNHS | ofInsurance | (ofTaiwan<<1 - ofGermany)
)

// vocabulary is what people and programs write before a number, folded to
// ASCII where its letters allow.
var vocabulary = map[meaning]string{
	ofPhone: `phone phones telephone telefono telefone telefon telefoon telephon tel tels telf tlf tfno fon fono fone ph mobile mobil mobiltelefon mobilnummer
		mobiles cell cellphone cellular handy handynummer festnetz fax telefax msisdn sms whatsapp telegram viber landline hotline rueckruf ruckruf
		movil celular cel portable gsm cellulare komorka komorkowy telefonu telefonni telefonszam telefonsko telefonische puhelin puhelinnumero matkapuhelin kannykka mob
		телефон тел моб мобильный телефону телефона мобильного τηλεφωνο τηλ κινητο telefonnummer telefonnr
		mobilephone homephone workphone phonenumber phonenumbers phoneno tele desk wechat
		هاتف جوال تلفون الهاتف موبايل טלפון נייד פלאפון फोन मोबाइल фон факс telefaks faks sdt telemovel mobiel mobiele cep telepon hp puh tlph telefoonnummer telefoonnr mobilni mobilne mobilu телефоне телефоном`,
	ofCall: `call dial dials dialing dialling callback calls called calling caller callers ring rang reach reached text texts texted contact contacts contacted dialled dialed appeler appelez appelle joindre joignable
		llamar llame llama llamada llamarme ligar ligue chamar chiamare chiami chiamata chiamarmi contatto contatti anrufen anruf rufen ruf rufnummer erreichbar erreichen kontakt
		bellen bel bereikbaar zadzwonic zadzwon dzwonic dzwon ring ringa soita soittaa zavolat zavolejte contacto contato contacter kontakta kontaktu звоните позвонить позвоните звонить
		rappeler rappelez rappelle rappel rappelle chiamami chiamatemi richiamare richiamami llamame llameme llamenos llamanos ligar liga arayin arayiniz ara hubungi hivjon sunati sunat volejte kontaktieren melden anrufe anrufst zuruckrufen zurueckrufen наберите набирайте перезвоните اتصل اتصلوا कॉल התקשרו
		answer answers answered answering voicemail`,
	ofCard: `card cards credit debit creditcard debitcard ccnumber cc visa mastercard maestro amex discover diners jcb unionpay rupay karte kreditkarte kreditkartennummer kartennummer
		kartennr kreditkarten bankkarte carte bancaire tarjeta credito cartao carta kaart creditcardnummer kreditkort kort kortnummer karta karty kartou luottokortti cardnumber карта карты карте карту`,
	ofBank: `iban bank konto kontonummer account acct kontonr bankverbindung cuenta compte conto rekening rekeningnummer rachunek sortcode blz bic swift routing aba bsb clabe ifsc`,
	ofIP:   `ip ips ipv ipaddress ipaddr addr clientip remoteip userip sourceip xff remoteaddr forwarded ipadresse`,
	ofHost: `host hosts client remote server peer login logged from source src dst destination dns gateway proxy address addresses adresse visitor connection connected listening
		router nameserver endpoint ping at inet subnet vpn ssh`,
	ofThing: `order orders orderid invoice invoices inv receipt ref refs reference references tracking trackingnumber shipment parcel package pkg ticket tickets case issue incident request req
		sku item items part parts product products serial model isbn issn ean upc gtin asin policy batch lot po transaction transactions txn trx trace session commit hash checksum
		page pages line lines row rows port pid offset bytes byte size weight height width job task build run node uuid guid token key keys booking reservation confirmation conf pnr flight
		imei imsi iccid meid vin plate zip zipcode postal postcode postalcode plz code codes pin otp customer customers member membership userid
		contract quote lead deal campaign template article artikel artikelnummer bestellung bestellungen bestell bestellnummer auftrag auftrags rechnung rechnungs
		rechnungsnummer kunde kunden kundennummer vertrag vertrags vorgang sendung sendungs sendungsnummer paket aktenzeichen beleg lieferschein seriennummer
		commande commandes facture factures dossier colis suivi devis bon numerodecommande pedido pedidos factura facturas referencia seguimiento envio paquete expediente ordine ordini
		fattura spedizione riferimento pratica encomenda fatura rastreio protocolo bestelling factuur ordernummer klantnummer klant pakket zaak zamowienie zamowienia faktura faktury przesylka paczka
		arende ordre forsendelse tilaus lasku lahetys tellimus заказ заказа счет накладная трек
		asset assets image file files folder document doc record entry object channel queue partition version_id etag digest signature nonce seed index sequence seq
		license licence registration reg vat ust ustid uid siret siren ein duns fein company companynumber hrb crn abn acn gst gstin cnpj chamber kvk coc nip regon krs ico dic
		gtm analytics tag pixel appid bundle device model firmware chip drawing patent bin sample vial dose`,
	ofTime: `date dates time times timestamp ts created updated modified epoch unix expires expiry exp due datum zeit fecha hora data heure
		deadline datetime utc gmt duration elapsed latency ms`,
	ofAmount: `amount amounts total totals subtotal sum price prices cost costs fee fees balance qty quantity count counts betrag summe preis montant prix importe precio importo prezzo valor preco bedrag
		kwota cena usd eur gbp chf jpy inr dollars euros percent score rate lat lng lon latitude longitude coord coords coordinates altitude limit max min avg value values views followers clicks points`,
	isID:      `id ids sid uuid key count type token code hash verified status`,
	ofVersion: `version versions ver v release releases rev revision sdk fw upgrade upgraded update updated patch os ios android chrome chromium firefox safari edge opera webkit driver kernel section chapter clause paragraph abschnitt kapitel oid build firmware nginx apache python java node php library lib api schema spec figure table step`,
	ofTax: `tax taxid taxnumber tin fiscal taxpayer national nationalid identity identification identifikationsnummer identificacion identidad citizen citizenship passport personal personalnumber nationality govid govtid
		idnumber identitycard ident identifiant ssn insurance social`,
	ofSSN:         `ssn ssns social security socialsecurity itin`,
	ofGermany:     `steuer steuerid steueridentifikationsnummer steuernummer steuerliche idnr identifikationsnummer steueridnr stid taxid tax tin`,
	ofFrance:      `nir insee secu securite sociale ssn numerosecu numsecu carte vitale social`,
	ofSpain:       `dni nif nie documento identidad identificacion documentacion extranjero niff`,
	ofItaly:       `fiscale codicefiscale cf fiscal`,
	ofNetherlands: `bsn burgerservicenummer burgerservice sofi sofinummer`,
	ofPoland:      `pesel peselu`,
	ofSweden:      `personnummer personnr pnr samordningsnummer personal`,
	ofFinland:     `hetu henkilotunnus henkilotunnuksen henkilotunnukseni henkilotunnuksesi henkilotunnuksensa henkilotunnusta henkilotunnukset sotu sosiaaliturvatunnus personbeteckning`,
	ofNHS:         `nhs nhsnumber`,
	ofInsurance:   `nino ni nin insurance nationalinsurance`,
	ofBrazil:      `cpf cpfs contribuinte cadastro`,
	ofCanada:      `sin social nas sins socialinsurance`,
	ofIndia:       `aadhaar aadhar adhaar uidai aadhaarnumber आधार`,
	ofIndiaPAN:    `pan pancard permanent`,
	ofAustralia:   `tfn taxfile`,
	ofMedicare:    `medicare`,
	ofBelgium:     `rijksregister rijksregisternummer insz niss registre nrn nationaalnummer inss`,
	ofDenmark:     `cpr cprnr cprnummer personnummer`,
	ofNorway:      `fodselsnummer fnr personnummer dnummer fodselsnr`,
	ofSwitzerland: `ahv ahvn avs ssn navs ahvnummer sozialversicherungsnummer`,
	ofAustria:     `svnr sozialversicherungsnummer sozialversicherung svn versicherungsnummer`,
	ofPortugal:    `nif contribuinte nifs`,
	ofIreland:     `pps ppsn ppsno`,
	ofCzechia:     `rodne rodnecislo rc birthnumber rodneho`,
	ofRomania:     `cnp cnpul numeric`,
	ofCroatia:     `oib`,
	ofTurkey:      `tckn tc kimlik tcno tckimlik`,
	ofIsrael:      `teudat zehut tz זהות תעודת`,
	ofSouthAfrica: `said rsaid identity idnumber`,
	ofKorea:       `rrn jumin`,
	ofJapan:       `mynumber individual`,
	ofChina:       `shenfenzheng resident identity`,
	ofSingapore:   `nric fin singpass`,
	ofMexico:      `curp`,
	ofChile:       `rut run rol`,
	ofBulgaria:    `egn егн`,
	ofGreece:      `amka αμκα`,
	ofBaltic:      `isikukood asmenskodas asmens kodas isikukoodi`,
	ofArgentina:   `cuil cuit`,
	ofThailand:    `thaiid citizen`,
	ofTaiwan:      `shenfen nationalid`,
	ofNumber:      `number nummer numero numer nomor nummeret numeret numaram cislo номер номером`,
	ofMine:        `my his her their mine our meine mein unsere unser ihre mi mio mia mon notre nostro meu minha nosso moj moje mijn onze min mitt minun мой моя benim`,
	ofDialled:     `to from recipient recipients destination caller callee called sender dest`,
	ofFile:        `file`,
	ofPlace:       `office work direct buero buro bureau oficina ufficio`,
}

// dictionary is the vocabulary by word. Most words that are looked up are not in
// it, and in most cases their length and ends say so at once.
type dictionary struct {
	slots [4096]uint16 // 1 more than the index of a word; linear probing
	words []string
	means []meaning
}

var meanings = func() *dictionary {
	all := map[string]meaning{}
	for of, words := range vocabulary {
		for _, w := range strings.Fields(words) {
			all[w] |= of
		}
	}
	return newDictionary(all)
}()

func newDictionary(all map[string]meaning) *dictionary {
	d := &dictionary{}
	for w, m := range all {
		d.words, d.means = append(d.words, w), append(d.means, m)
		i := slot([]byte(w))
		for d.slots[i] != 0 {
			i = (i + 1) % uint32(len(d.slots))
		}
		d.slots[i] = uint16(len(d.words))
	}
	return d
}

func (d *dictionary) of(word []byte) (meaning, bool) {
	if len(word) == 0 {
		return 0, false
	}
	for i := slot(word); d.slots[i] != 0; i = (i + 1) % uint32(len(d.slots)) {
		if at := d.slots[i] - 1; d.words[at] == string(word) {
			return d.means[at], true
		}
	}
	return 0, false
}

// lower looks up a word of small ASCII letters.
func (d *dictionary) lower(word string) (meaning, bool) {
	n := len(word)
	h := uint32(n) | uint32(word[0])<<8 | uint32(word[n-1])<<16 | uint32(word[n/2])<<24
	for i := (h*0x9E3779B1 + uint32(word[n/3])*0x85EBCA6B) >> 20; d.slots[i] != 0; i = (i + 1) % uint32(len(d.slots)) {
		if at := d.slots[i] - 1; d.words[at] == word {
			return d.means[at], true
		}
	}
	return 0, false
}

// letters looks up a word of ASCII letters, whatever their case.
func (d *dictionary) letters(word string) (meaning, bool) {
	n := len(word)
	if n == 0 {
		return 0, false
	}
	h := uint32(n) | uint32(word[0]|0x20)<<8 | uint32(word[n-1]|0x20)<<16 | uint32(word[n/2]|0x20)<<24
	i := (h*0x9E3779B1 + uint32(word[n/3]|0x20)*0x85EBCA6B) >> 20
next:
	for ; d.slots[i] != 0; i = (i + 1) % uint32(len(d.slots)) {
		at := d.slots[i] - 1
		known := d.words[at]
		if len(known) != n {
			continue
		}
		for k := range n {
			if word[k]|0x20 != known[k] {
				continue next
			}
		}
		return d.means[at], true
	}
	return 0, false
}

// slot is where a word is looked for first.
func slot(word []byte) uint32 {
	n := len(word)
	h := uint32(n) | uint32(word[0])<<8 | uint32(word[n-1])<<16 | uint32(word[n/2])<<24
	return (h*0x9E3779B1 + uint32(word[n/3])*0x85EBCA6B) >> 20
}

// phrases are the words of scripts that are written without blanks.
var phrases = []struct {
	text    string
	meaning meaning
}{
	{"电话", ofPhone}, {"電話", ofPhone}, {"手机", ofPhone}, {"手機", ofPhone}, {"携帯", ofPhone}, {"传真", ofPhone}, {"傳真", ofPhone},
	{"联系方式", ofPhone}, {"連絡先", ofPhone}, {"전화", ofPhone}, {"휴대폰", ofPhone}, {"휴대전화", ofPhone}, {"핸드폰", ofPhone}, {"연락처", ofPhone}, {"팩스", ofPhone},
	{"ファックス", ofPhone}, {"โทร", ofPhone}, {"มือถือ", ofPhone}, {"致电", ofCall}, {"拨打", ofCall}, {"联系", ofCall}, {"連絡", ofCall},
	{"身份证", ofChina}, {"身分證", ofTaiwan}, {"マイナンバー", ofJapan}, {"個人番号", ofJapan}, {"주민등록번호", ofKorea}, {"주민번호", ofKorea}, {"บัตรประชาชน", ofThailand},
	{"订单", ofThing}, {"訂單", ofThing}, {"注文", ofThing}, {"주문", ofThing}, {"发票", ofThing}, {"快递", ofThing}, {"运单", ofThing}, {"송장", ofThing}, {"追跡", ofThing}, {"請求書", ofThing},
	{"信用卡", ofCard}, {"银行卡", ofCard}, {"卡号", ofCard}, {"カード", ofCard}, {"카드", ofCard}, {"账号", ofBank}, {"口座", ofBank}, {"계좌", ofBank}, {"版本", ofVersion}, {"バージョン", ofVersion}, {"버전", ofVersion},
}
