package vendor

// CatalogueEntry is what Cordon knows about one vendor's API; one file of
// catalogue/, named after the vendor.
type CatalogueEntry struct {
	Vendor     string      `yaml:"vendor" required:"true" kind:"vendor" doc:"The catalogue's name of the vendor; the file is named after it."`
	Name       string      `yaml:"name" required:"true" doc:"The vendor's product as people call it."`
	Upstream   string      `yaml:"upstream" required:"true" kind:"base" doc:"The API's usual base address, without a path that a mapping already names. What each customer has of its own is a placeholder, as in https://{shop}.myshopify.com; manifests must then name their upstream."`
	Hosts      []string    `yaml:"hosts" required:"true" kind:"hosts" doc:"All host names of the API; the first label may hold one *."`
	Credential *Credential `yaml:"credential" doc:"Where the credential stands, without its secret."`
	Webhook    *Webhook    `yaml:"webhook" doc:"How the vendor signs its webhooks."`
	Countries  []string    `yaml:"countries" kind:"country" doc:"Where the vendor processes, as far as it says."`
	Collects   []string    `yaml:"collects" kind:"category" doc:"Categories that the vendor gathers by itself."`
	Mapping    []Mapping   `yaml:"mapping" required:"true" doc:"Where personal data stands, as in a manifest."`
	Queueable  []string    `yaml:"queueable" kind:"on" doc:"Routes whose success answer may be given before the vendor gave it."`
	Verified   []string    `yaml:"verified" required:"true" doc:"What was checked, against which source; what was not, begins with \"not verified:\"."`
	Examples   []Example   `yaml:"examples" required:"true" doc:"Messages with the findings they must give; one test runs them all."`
}

// Example is one message and what must be found in it.
type Example struct {
	Name       string            `yaml:"name" required:"true" doc:"The situation."`
	Request    ExampleRequest    `yaml:"request" required:"true" doc:"A raw HTTP/1.1 request, or its parts."`
	Route      string            `yaml:"route" doc:"The route's name; absent: not compared."`
	Subjects   []ExampleSubject  `yaml:"subjects" doc:"The people found, in order of appearance; nobody known has no identifiers."`
	Incomplete []string          `yaml:"incomplete" doc:"The reasons for which the message is incomplete; absent: none."`
	Unmapped   []string          `yaml:"unmapped" doc:"Templates of leaves that no mapping names; absent: not compared."`
	Minimize   map[string]Action `yaml:"minimize" keykind:"policy" enum:"allow drop mask token alias hash generalize" doc:"The policy for cleared; absent: default allow."`
	Cleared    string            `yaml:"cleared" doc:"The body after minimisation; absent: equal to the request's."`
}

// ExampleRequest is a raw request, or method, path and body.
type ExampleRequest struct {
	Raw         string            `yaml:",scalar" doc:"Request line, headers, blank line, body."`
	Method      string            `yaml:"method" default:"POST" doc:"The method."`
	Path        string            `yaml:"path" doc:"Path and query, percent-encoded."`
	ContentType string            `yaml:"content_type" default:"application/json" doc:"The Content-Type."`
	Headers     map[string]string `yaml:"headers" doc:"Further headers."`
	Body        string            `yaml:"body" doc:"The body."`
}

// ExampleSubject is one person of an example.
type ExampleSubject struct {
	Identifiers map[string][]string `yaml:"identifiers" keykind:"identifier" single:"true" doc:"email, phone, user_id, username, pseudonym: canonical values."`
	Fields      []ExampleField      `yaml:"fields" required:"true" doc:"What was found about the person, in order of appearance."`
}

// ExampleField is one field of an example.
type ExampleField struct {
	Category string `yaml:"category" required:"true" kind:"category" doc:"The category."`
	Path     string `yaml:"path" doc:"The path as a template; absent: not compared."`
	Value    string `yaml:"value" required:"true" doc:"The clear decoded value."`
}
