package vendor

import "cordon/internal/exposure"

// Manifest is one file of the vendors folder as its author wrote it, with the
// defaults filled in. Everything that runs works on the Spec made from it.
type Manifest struct {
	Vendor       string            `yaml:"vendor" required:"true" kind:"vendor" doc:"The vendor's name in every command and path; the file is named after it."`
	Name         string            `yaml:"name" doc:"The vendor's legal name, as notices and reports print it."`
	Catalogue    string            `yaml:"catalogue" doc:"What Cordon knows about this vendor's API: routes, fields, credential, webhook scheme."`
	Upstream     string            `yaml:"upstream" kind:"upstream" doc:"Where requests go. Naming a loopback or private address here is the permission to reach it. Absent: the catalogue's."`
	Hosts        []string          `yaml:"hosts" kind:"hosts" doc:"All names of this vendor, by which the proxy knows it; the upstream's is included. The first label may hold one *, for a part of it without dots; an exact name beats it."`
	Mode         Mode              `yaml:"mode" default:"enforce" enum:"enforce shadow" doc:"shadow records and classifies, changes and refuses nothing."`
	Country      string            `yaml:"country" kind:"country" doc:"Where the vendor is established, ISO 3166-1 alpha-2."`
	Role         string            `yaml:"role" default:"processor" enum:"processor controller" doc:"The vendor's role under GDPR article 4."`
	Collects     []string          `yaml:"collects" kind:"category" doc:"Categories that the vendor gathers by itself, such as addresses by open tracking; they are never reported as never exposed."`
	Purposes     []string          `yaml:"purposes" kind:"purpose" doc:"What the vendor processes the data for, as fideslang data uses."`
	Credential   *Credential       `yaml:"credential" doc:"What authenticates us at the vendor; put into the message after minimisation. Absent: the app's own credential passes through."`
	TLS          *TLS              `yaml:"tls" doc:"Whom to trust as this vendor. Absent: the system's roots."`
	Mapping      []Mapping         `yaml:"mapping" doc:"Where personal data stands in this vendor's messages; added to the catalogue's."`
	Minimize     map[string]Action `yaml:"minimize" keykind:"policy" enum:"allow drop mask token alias hash generalize" doc:"What happens to each category on its way out; a category covers those below it, except that token, alias and hash of user.unique_id leave the ids that the vendor issued itself (user.unique_id.pseudonymous); default covers the rest."`
	Unclassified string            `yaml:"unclassified" default:"hold" enum:"pass hold refuse" doc:"What happens to messages that could not be fully classified."`
	WhenCut      string            `yaml:"when_cut" default:"refuse" kind:"when_cut" doc:"What the app gets while the vendor is cut: refuse, hold, or failover:VENDOR."`
	Queueable    []string          `yaml:"queueable" kind:"on" doc:"Routes that may be answered in the vendor's success shape while on hold."`
	Reveal       []string          `yaml:"reveal" kind:"on" doc:"Routes allowed to see tokens resolved on the way back."`
	Inbound      []Inbound         `yaml:"inbound" doc:"The vendor's calls into us."`
	SMTP         *SMTP             `yaml:"smtp" doc:"The vendor's mail server, for the relay."`
	Webhook      *Webhook          `yaml:"webhook" doc:"The vendor's webhooks, received under /hooks/VENDOR."`
	Contract     *Contract         `yaml:"contract" doc:"What the vendor promised; duties and deadlines follow from it."`
}

// Credential is one secret and the place in a message where it belongs.
type Credential struct {
	In     string `yaml:"in" enum:"header query body path basic sigv4 oauth2" doc:"Where the credential stands. Absent: as the catalogue says."`
	Name   string `yaml:"name" doc:"The header, query parameter or body path; the user name for basic; the access key id for sigv4."`
	Value  string `yaml:"value" doc:"What is written there; {secret} stands for the secret. For path it is the path, such as /services/{secret}. Absent: the catalogue's, or the secret alone."`
	Secret string `yaml:"secret" kind:"secret" doc:"file:NAME in the keys folder, env:NAME or age:FILE. Needed in a manifest, never in the catalogue. For sigv4 the secret access key, and after a blank the session token, if there is one."`

	TokenURL string   `yaml:"token_url" kind:"url" doc:"oauth2: where short-lived tokens are minted."`
	Scopes   []string `yaml:"scopes" doc:"oauth2: the scopes asked for."`
	Region   string   `yaml:"region" doc:"sigv4: the AWS region."`
	Service  string   `yaml:"service" doc:"sigv4: the AWS service."`
}

// TLS narrows whom we take for the vendor.
type TLS struct {
	CA  string `yaml:"ca" kind:"keyfile" doc:"A file of PEM certificates to trust instead of the system's roots."`
	Pin string `yaml:"pin" kind:"pin" doc:"sha256: and the hash of the public key (SPKI) that must appear in the chain, hex or base64."`
}

// Inbound is one way in which the vendor calls our own API.
type Inbound struct {
	Token string   `yaml:"token" required:"true" kind:"secret" doc:"The token that the vendor sends."`
	To    string   `yaml:"to" required:"true" kind:"url" doc:"Our service behind it."`
	Allow []string `yaml:"allow" required:"true" kind:"on" doc:"What the vendor may call."`
}

// SMTP is the vendor's mail server.
type SMTP struct {
	Upstream string `yaml:"upstream" required:"true" kind:"hostport" doc:"Host and port."`
	TLS      string `yaml:"tls" default:"starttls" enum:"none starttls tls" doc:"How the connection is protected."`
	User     string `yaml:"user" doc:"The user name at the vendor."`
	Password string `yaml:"password" kind:"secret" doc:"The password at the vendor; without one AUTH is taken on loopback only."`
}

// Webhook is what the vendor calls back with.
type Webhook struct {
	Scheme    string `yaml:"scheme" required:"true" kind:"webhook" doc:"How the vendor signs."`
	Secret    string `yaml:"secret" kind:"secret" doc:"The signing secret, or the vendor's public key."`
	DeliverTo string `yaml:"deliver_to" kind:"url" doc:"Our service that receives what was verified."`
}

// Contract is what the vendor promised in writing.
type Contract struct {
	NoticeHours   int            `yaml:"notice_hours" min:"0" doc:"The vendor must tell us of a breach within so many hours."`
	RetentionDays int            `yaml:"retention_days" min:"0" doc:"It deletes what it got after so many days."`
	Countries     []string       `yaml:"countries" kind:"country" doc:"Where it may process."`
	Subprocessors []Subprocessor `yaml:"subprocessors" doc:"Whom it may hand data to."`
	Agreement     *Agreement     `yaml:"agreement" doc:"The signed agreement."`
	ReviewBy      string         `yaml:"review_by" kind:"date" doc:"When the contract must be looked at again."`
}

// Subprocessor is a third party of the third party.
type Subprocessor struct {
	Name    string `yaml:"name" required:"true" doc:"Its legal name."`
	Country string `yaml:"country" kind:"country" doc:"Where it processes."`
}

// Agreement identifies the signed document.
type Agreement struct {
	Date   string `yaml:"date" required:"true" kind:"date" doc:"The day it was signed."`
	SHA256 string `yaml:"sha256" kind:"sha256" doc:"The hash of the signed document."`
}

// Mode says whether a manifest's policy is applied or only rehearsed.
type Mode string

const (
	Enforce Mode = "enforce"
	Shadow  Mode = "shadow"
)

// Action is what happens to one category on its way out.
type Action string

const (
	Allow      Action = "allow"
	Drop       Action = "drop"
	Mask       Action = "mask"
	Token      Action = "token"
	Alias      Action = "alias"
	Hash       Action = "hash"
	Generalize Action = "generalize"
)

// verdicts are the values of `unclassified`.
var verdicts = map[string]exposure.Verdict{
	"pass": exposure.Pass, "hold": exposure.Hold, "refuse": exposure.Refuse,
}
