// Package config reads cordon.yaml: one file, strictly, with a documented
// default for every key, and all its problems at once.
package config

import (
	"cordon/internal/strict"
	"cordon/internal/vault"
)

// Config is cordon.yaml with its defaults filled in, flags applied and paths
// made absolute against the file's folder.
type Config struct {
	Organization Organization `yaml:"organization" doc:"Who runs this gateway; notices and duties name it."`
	Data         string       `yaml:"data" default:"./data" kind:"folder" doc:"The one directory that matters: the ledger, the index, the gates."`
	Keys         Keys         `yaml:"keys" default:"./keys" doc:"Ledger, token, signing and CA keys; never inside data. A folder, or a key provider."`
	Mirror       string       `yaml:"mirror" default:"./mirror" kind:"folder" doc:"A second place for signed heads; better another disk."`
	Failover     string       `yaml:"failover" kind:"folder" doc:"A folder, better on another disk, for new entries while the disk of data does not answer; absent: they wait."`
	Vendors      string       `yaml:"vendors" default:"./vendors" kind:"folder" doc:"The folder of manifests, one file per vendor."`
	Listen       Listen       `yaml:"listen" doc:"The addresses to listen on; an empty address closes that door."`
	Apps         []App        `yaml:"apps" doc:"Who may send. Absent: loopback only, and entries say app anonymous."`
	Directory    Directory    `yaml:"directory" doc:"The people that the organisation knows."`
	Notices      *Notices     `yaml:"notices" doc:"How people are told."`
	Witness      Witness      `yaml:"witness" doc:"Who countersigns the ledger's heads."`
	PublicLog    bool         `yaml:"public_log" doc:"Whether anybody who reaches the console may read the ledger's tree under /tlog: no personal data, but when messages left and how many."`
	Scrub        Scrub        `yaml:"scrub" doc:"Reading everything from time to time, so that damage is found before it is needed."`
	Retention    Retention    `yaml:"retention" doc:"How long the ledger keeps what it recorded."`
	Proxy        Proxy        `yaml:"proxy" doc:"The forward proxy."`
	Limits       Limits       `yaml:"limits" doc:"Bounds on what one message may cost; what exceeds one is recorded as incomplete, never as harmless."`

	// File is the absolute path of the file, Dir its folder.
	File string `yaml:"-"`
	Dir  string `yaml:"-"`

	report *strict.Report
}

// Origin names the ledger in its checkpoints.
func (c *Config) Origin() string { return c.Organization.Domain + "/cordon" }

// KeySource is where the vault finds its keys.
func (c *Config) KeySource() vault.Source {
	return vault.Source{Dir: c.Keys.Dir, Age: c.Keys.Age, Identity: c.Keys.Identity, Passphrase: c.Keys.Passphrase, Command: c.Keys.Command}
}

// Organization is the company that has the duties.
type Organization struct {
	Name           string   `yaml:"name" default:"Example Organization" doc:"The legal name, as notices print it."`
	Domain         string   `yaml:"domain" default:"example.org" kind:"host" doc:"The organisation's domain; it names the ledger's checkpoints."`
	Country        string   `yaml:"country" kind:"region" doc:"ISO 3166-1, with the state where law needs it: US-CA."`
	Establishments []string `yaml:"establishments" kind:"region" doc:"Where the organisation is established; decides lead authorities."`
}

// Keys says where key material is kept: a folder, or a provider.
type Keys struct {
	Dir        string   `yaml:",scalar" kind:"folder" doc:"A folder of key files, mode 0700."`
	Age        string   `yaml:"age" kind:"file" doc:"One age-encrypted file that holds all keys and secrets."`
	Identity   string   `yaml:"identity" kind:"file" doc:"age: the file of identities (AGE-SECRET-KEY-…) that opens it, mode 0600."`
	Passphrase string   `yaml:"passphrase" kind:"passphrase" doc:"age: env:NAME or a file, mode 0600, when it was encrypted with a passphrase."`
	Command    []string `yaml:"command" doc:"A program and its arguments that keep the bundle, for a KMS; called with load or store as last argument."`
}

// Listen holds one address per door.
type Listen struct {
	HTTP    string `yaml:"http" default:"127.0.0.1:8400" kind:"listen" doc:"http://…/VENDOR/PATH forwards to the vendor; /hooks/VENDOR receives its webhooks."`
	Proxy   string `yaml:"proxy" default:"127.0.0.1:8401" kind:"listen" doc:"Forward proxy (HTTPS_PROXY) with its own CA."`
	SMTP    string `yaml:"smtp" default:"127.0.0.1:8425" kind:"listen" doc:"Mail relay; the user name is app+vendor, or the vendor alone where no apps are configured."`
	Console string `yaml:"console" default:"127.0.0.1:8480" kind:"listen" doc:"Console and API."`
	Public  string `yaml:"public" default:"127.0.0.1:8481" kind:"listen" doc:"/verify and well-known hashes only; never the console's address."`
}

// App is one sender.
type App struct {
	App     string   `yaml:"app" required:"true" kind:"app" doc:"The sender's name in every entry."`
	Token   string   `yaml:"token" required:"true" kind:"secret" doc:"The token it shows: file:NAME in the keys folder, env:NAME or age:FILE."`
	Vendors []string `yaml:"vendors" kind:"vendor" doc:"The vendors it may send to; absent: all."`
}

// Directory is where people come from.
type Directory struct {
	File        string `yaml:"file" kind:"file" doc:"CSV, JSON lines or Parquet with id,email,phone,name,first_name,last_name,street,postal_code,city,country,state,language,birth_date,username; or postgres://…"`
	Query       string `yaml:"query" doc:"postgres: the query that returns those columns."`
	KnownValues string `yaml:"known_values" default:"hashed" enum:"hashed off" doc:"Messages are searched for names, streets and numbers of the very people they concern; kept as keyed hashes, or off."`
}

// Notices is our own way to write to people.
type Notices struct {
	From      string     `yaml:"from" required:"true" kind:"email" doc:"The sender."`
	SMTP      NoticeSMTP `yaml:"smtp" required:"true" doc:"Our own mail server, or a vendor that relays."`
	DKIM      []DKIM     `yaml:"dkim" doc:"Keys that sign our mail, RSA-2048 or Ed25519 or both."`
	Resolver  string     `yaml:"resolver" kind:"hostport" doc:"DNS for the SPF, DKIM and DMARC pre-flight; absent: the system's."`
	PublicURL string     `yaml:"public_url" kind:"url" doc:"Where people reach /verify."`
}

// NoticeSMTP is a mail server, or a vendor.
type NoticeSMTP struct {
	Upstream string `yaml:"upstream" kind:"hostport" doc:"Host and port."`
	TLS      string `yaml:"tls" default:"starttls" enum:"none starttls tls" doc:"How the connection is protected."`
	User     string `yaml:"user" doc:"The user name."`
	Password string `yaml:"password" kind:"secret" doc:"The password."`
	Vendor   string `yaml:"vendor" kind:"vendor" doc:"A vendor whose smtp relays our notices, instead of upstream."`
}

// DKIM is one signing key.
type DKIM struct {
	Selector string `yaml:"selector" required:"true" kind:"selector" doc:"The selector in DNS."`
	Key      string `yaml:"key" required:"true" kind:"secret" doc:"The private key, PEM."`
}

// Witness countersigns heads (C2SP tlog-witness).
type Witness struct {
	URL string `yaml:"url" kind:"url" doc:"Where heads are sent; absent: nobody witnesses."`
	Key string `yaml:"key" doc:"The witness's verifier key."`
}

// Scrub says how often everything is read, and how fast.
type Scrub struct {
	Every strict.Duration `yaml:"every" default:"168h" doc:"How long after the end of one reading the next one begins; 0s: only when asked (cordon ledger scrub --now)."`
	Rate  strict.Size     `yaml:"rate" default:"20MiB" doc:"How many bytes a second it may read."`
}

// Retention says when the ledger forgets.
type Retention struct {
	Bodies strict.Days `yaml:"bodies" doc:"After how many whole days the disclosures of a day are erased for good (400d); absent: they are kept. Counts of the day, events and every proof stay."`
}

// Proxy says what the forward proxy does with hosts that no manifest names.
type Proxy struct {
	UnknownHosts string `yaml:"unknown_hosts" default:"refuse" enum:"refuse observe" doc:"refuse, or observe: let pass uninspected, record as incomplete, and list for adoption."`
}

// Limits bound what one message may cost.
type Limits struct {
	Body          strict.Size     `yaml:"body" default:"1MiB" doc:"The longest body that is read and classified as a whole."`
	Decompressed  strict.Size     `yaml:"decompressed" default:"64MiB" doc:"What a compressed body may become."`
	Ratio         int             `yaml:"ratio" default:"100" min:"1" doc:"How many times longer it may become."`
	Depth         int             `yaml:"depth" default:"64" min:"1" max:"1000" doc:"How deep a body may be nested."`
	Header        strict.Size     `yaml:"header" default:"64KiB" doc:"The longest request header."`
	HeaderTimeout strict.Duration `yaml:"header_timeout" default:"10s" doc:"How long a client may take to send a request header."`
	IdleTimeout   strict.Duration `yaml:"idle_timeout" default:"2m" doc:"How long a connection may be silent."`
	VendorTimeout strict.Duration `yaml:"vendor_timeout" default:"1m" doc:"How long a vendor may take to begin its answer."`
	// What the answers of one vendor may reveal to one app.
	RevealsPerMinute int `yaml:"reveals_per_minute" default:"120" min:"1" doc:"How many people a vendor's answers may reveal to one app in a minute; above it tokens stay tokens."`
	RevealsPerHour   int `yaml:"reveals_per_hour" default:"1200" min:"1" doc:"The same in an hour."`
	Connections      int `yaml:"connections" default:"10000" min:"1" doc:"How many client connections are open at once, over all doors."`
}
