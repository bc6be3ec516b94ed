// Package deptest holds the rules of the house that the compiler does not know: which package may import which,
// what the pure ones must not touch, what the product's module may require. Its test reads the source files
// themselves, so it needs no network and also sees files that this platform does not build.
//
// A rule that fails prints why it exists. Changing a rule is a change of design: change the reason with it.
package deptest

// A room is one package and its place in the house. Imports go from a higher floor to a lower one, never up,
// and sideways only through a door.
type room struct {
	path  string // import path below "cordon/"; the longest that fits a package decides
	floor int
	why   string
}

var rooms = []room{
	{"internal/exposure", 0, "the words that everyone shares; whatever it imported, everyone would import"},
	{"internal/strict", 0, "decoding of files; knows nothing of what they say"},
	{"internal/figure", 0, "how figures read; knows nothing of what they count"},
	{"evidence", 0, "an examiner compiles it without us: the standard library and x/mod alone"},

	{"internal/detect", 1, "finds personal data by its shape alone; what it means is for others to say"},
	{"internal/wire", 1, "syntax of documents; knows nothing of people"},
	{"internal/token", 1, "pure: the same key and value always give the same token"},
	{"internal/vendor", 1, "what is known about third parties: data, no traffic"},
	{"internal/classify", 1, "pure: the same bytes always give the same findings, in a test, in a drill, in court"},
	{"internal/minimize", 1, "pure: what may leave depends on findings and policy alone"},
	{"internal/isolate", 1, "a cut works while everything above is sick, so it may lean on nothing above"},
	{"internal/store", 1, "keyspaces and the engine; what the values mean belongs to their owners"},

	{"internal/ledger", 2, "records what was cleared; does not know who forwards it or who asks"},
	{"internal/scope", 2, "an index that can be rebuilt from the ledger; nothing below may depend on it"},
	{"internal/vault", 2, "keys and credentials; handed down by app, never fetched from below"},
	{"internal/directory", 2, "who people are; the record holds ordinals and must work without it"},
	{"internal/watch", 2, "counts what it is shown; nothing waits for it"},
	{"internal/openapi", 2, "drafts mappings from descriptions; what a draft says is for a person to confirm"},
	{"internal/config", 2, "one file, checked as a whole; packages below get values, not the configuration"},

	{"internal/witness", 2, "countersigns heads of other ledgers; trusts nothing of ours"},
	{"internal/roll", 3, "reads lists that others wrote; what their people mean is for the desk to say"},
	{"internal/incident", 3, "a case is a fold over the ledger's events; it orders, it does not carry out"},
	{"internal/care", 3, "copies and reads the files of the rooms below; no message passes through it"},
	{"internal/gateway", 3, "the only room with a transport to a vendor"},

	{"internal/exec", 4, "starts the user's command with its traffic led through the gateway"},
	{"internal/api", 4, "shows what the rooms below say; nothing below may speak HTTP to a person"},
	{"internal/console", 4, "pages drawn from the same answers as the API"},

	{"internal/app", 5, "the only package that wires everything; if another could, tests would start half a product"},
	{"internal/cli", 6, "one file a verb; nothing may depend on how a person typed it"},
	{"internal/deptest", 6, "reads the others' files; imports none of them"},
	{"cmd", 7, "flags, signals and exit codes"},
	{"bench", 7, "measures the product; the product must not know that it is measured"},
	{"test", 7, "tries to break the product from outside"},
}

// A door is an import between two rooms on one floor.
type door struct{ from, to, why string }

var doors = []door{
	{"internal/classify", "internal/vendor", "a classifier is compiled from a vendor's mappings"},
	{"internal/classify", "internal/detect", "what no mapping names is searched by shape"},
	{"internal/classify", "internal/wire", "documents are read by format, and mapped as they are read"},
	{"internal/minimize", "internal/token", "a policy may ask for tokens"},
	{"internal/minimize", "internal/classify", "minimising edits the fields that classifying found"},
	{"internal/minimize", "internal/vendor", "the policy by category is the vendor's"},
	{"internal/watch", "internal/ledger", "a finding is an entry of the ledger"},
	{"internal/scope", "internal/ledger", "the index follows the journal's entries"},
	{"internal/config", "internal/vault", "checking the configuration tries the keys and secrets that it names"},
	{"internal/console", "internal/api", "pages and --json give the same answers"},
	{"bench", "test", "the rig that runs the real binary serves both"},
}

// pure packages do no I/O and never ask for the time; it is an argument.
var pure = []string{"internal/exposure", "internal/wire", "internal/detect", "internal/token", "internal/classify", "internal/minimize"}

// impure is what a pure package must not import; net/url and net/netip only parse text.
var impure = []string{"net", "net/http", "os", "os/exec", "io/ioutil", "syscall", "log", "log/slog", "crypto/rand", "math/rand", "math/rand/v2"}

// vague names say nothing about what is inside, so everything ends up there.
var vague = []string{"util", "utils", "common", "types", "models", "helpers", "misc", "base", "lib"}

// sdks are clients of vendors. The product speaks HTTP and SMTP itself: an SDK in its graph would be code of the very
// third parties it stands guard against. They belong in the nested modules under test/ and examples/.
var sdks = []string{
	"github.com/sendgrid/", "github.com/stripe/", "github.com/segmentio/analytics-go", "github.com/mailgun/",
	"github.com/twilio/", "github.com/resend", "github.com/keighl/postmark", "github.com/mrz1836/postmark",
	"github.com/aws/", "github.com/slack-go/", "github.com/posthog/", "github.com/mixpanel/", "github.com/amplitude/",
	"github.com/okta/", "github.com/auth0/", "github.com/intercom/", "github.com/plaid/", "github.com/klaviyo/",
	"github.com/Shopify/", "github.com/bold-commerce/", "github.com/getbrevo/", "firebase.google.com/", "google.golang.org/api",
}

// longest is how many lines a file may have: past it there are two ideas in it.
const longest = 800
