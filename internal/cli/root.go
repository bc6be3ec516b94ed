package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Globals are the flags that every verb takes.
type Globals struct {
	Config    string `short:"c" env:"CORDON_CONFIG" placeholder:"FILE" help:"The configuration (default ./cordon.yaml)."`
	Server    string `placeholder:"URL" help:"Talk to this server instead of the socket in the data directory."`
	TokenFile string `placeholder:"FILE" help:"Act as the user whose token the file holds."`
	JSON      bool   `name:"json" help:"Print the answer as JSON on stdout."`

	Overrides `embed:"" group:"Instead of keys of the configuration:"`
}

// Overrides are the flags that stand for keys of the configuration.
type Overrides struct {
	Data          string `placeholder:"DIR" help:"The data directory."`
	Keys          string `placeholder:"DIR" help:"The folder of keys."`
	Mirror        string `placeholder:"DIR" help:"The second place of signed heads."`
	Vendors       string `placeholder:"DIR" help:"The folder of vendor manifests."`
	Directory     string `placeholder:"FILE" help:"The directory of people."`
	ListenHTTP    string `name:"listen-http" placeholder:"ADDR" help:"Address of the reverse routes."`
	ListenProxy   string `name:"listen-proxy" placeholder:"ADDR" help:"Address of the forward proxy."`
	ListenSMTP    string `name:"listen-smtp" placeholder:"ADDR" help:"Address of the mail relay."`
	ListenPublic  string `name:"listen-public" placeholder:"ADDR" help:"Address of the public page."`
	ListenConsole string `name:"listen-console" placeholder:"ADDR" help:"Address of the console and the API."`
}

// verbs is the grammar of the command line.
type verbs struct {
	Globals

	Serve serveCmd `cmd:"" group:"Run" help:"Run Cordon: gateway, ledger, console."`
	Check checkCmd `cmd:"" group:"Run" help:"Check the configuration and the vendor manifests."`
	Exec  execCmd  `cmd:"" group:"Run" help:"Run a command so that its traffic goes through Cordon."`
	CA    caCmd    `cmd:"" name:"ca" group:"Run" help:"Print the certificate that clients of the proxy must trust."`

	Status  statusCmd  `cmd:"" group:"See" help:"Show every vendor: gate, connections, people reached."`
	Scope   scopeCmd   `cmd:"" group:"See" help:"Answer who was exposed to a vendor, and what was not."`
	Subject subjectCmd `cmd:"" group:"See" help:"Show which vendors got what about one person."`
	Finding findingCmd `cmd:"" group:"See" help:"See what a person should look at."`
	Drift   driftCmd   `cmd:"" group:"See" help:"See leaves that no mapping names, with the day they first appeared."`
	Route   routeCmd   `cmd:"" group:"See" help:"Try what Cordon makes of a message."`

	Cut     cutCmd     `cmd:"" group:"Act" help:"Cut a vendor off: close its connections, refuse everything from now on."`
	Hold    holdCmd    `cmd:"" group:"Act" help:"Hold a vendor: nothing goes out until it is restored."`
	Restore restoreCmd `cmd:"" group:"Act" help:"Open the gate of a vendor again."`

	Erase     eraseCmd     `cmd:"" group:"Act" help:"Erase a person: nothing leads to them any more."`
	LegalHold legalHoldCmd `cmd:"" name:"legal-hold" group:"Act" help:"Suspend erasure and expiry while a case needs the record."`

	Incident incidentCmd `cmd:"" group:"Act" help:"Open an incident and keep it: facts, scope, approvals, timeline."`

	Vendor    vendorCmd    `cmd:"" group:"Set up" help:"List, show and add vendors."`
	Token     tokenCmd     `cmd:"" group:"Set up" help:"See, change and shred what vendors know people by."`
	Directory directoryCmd `cmd:"" name:"directory" group:"Set up" help:"Load the directory of people."`
	User      userCmd      `cmd:"" group:"Set up" help:"Add users and approve them."`
	Keys      keysCmd      `cmd:"" name:"keys" group:"Set up" help:"Back up and restore the keys."`

	Ledger   ledgerCmd   `cmd:"" group:"Prove" help:"Verify, follow and prove the record."`
	Witness  witnessCmd  `cmd:"" group:"Prove" help:"Countersign the heads of another machine's ledger."`
	Evidence evidenceCmd `cmd:"" name:"evidence" group:"Prove" help:"Hand out the evidence of an incident."`
}

// Main runs one command line and returns the exit code.
func Main(args []string, env *Env) int {
	var grammar verbs
	exited := -1
	parser, err := kong.New(&grammar,
		kong.Name("cordon"),
		kong.Description("The one gate between an organisation and its vendors: every message is classified, minimised, recorded and can be cut off."),
		kong.Writers(env.Out, env.Err),
		kong.Exit(func(code int) { exited = code }),
		kong.Help(printHelp),
		kong.ExplicitGroups([]kong.Group{
			{Key: "Run", Title: "Run"}, {Key: "See", Title: "See"}, {Key: "Act", Title: "Act"},
			{Key: "Set up", Title: "Set up"}, {Key: "Prove", Title: "Prove"},
		}),
	)
	if err != nil {
		panic(err) // the grammar above is wrong; a test builds it
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if twice := repeated(args); twice != "" {
		return env.fail(&Fault{Code: exitUsage, What: twice + " is given twice", Next: "give it once"})
	}
	ctx, err := parser.Parse(args)
	if exited >= 0 { // --help printed
		return exited
	}
	if err != nil {
		next := "cordon --help"
		if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
			if node := parse.Context.Selected(); node != nil {
				next = node.FullPath() + " --help"
			}
		}
		return env.fail(&Fault{Code: exitUsage, What: err.Error(), Next: next})
	}
	env.Flags = grammar.Globals
	if err := ctx.Run(env); err != nil {
		return env.fail(err)
	}
	return exitOK
}

// fail prints the two lines of an error and returns its exit code.
func (e *Env) fail(err error) int {
	if quiet, ok := errors.AsType[silent](err); ok {
		return int(quiet)
	}
	what, next, code := explain(err)
	e.Say("cordon: %s", what)
	if next != "" {
		e.Say("  next: %s", next)
	}
	return code
}

// repeated finds a global flag that is given twice: with two of them, one
// would be obeyed and the other ignored, and nobody could tell which.
func repeated(args []string) string {
	seen := map[string]bool{}
	for _, arg := range args {
		if arg == "--" {
			return ""
		}
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "--config", "--server", "--token-file", "--data", "--keys", "--vendors", "--since", "--until":
			if seen[name] {
				return name
			}
			seen[name] = true
		}
	}
	return ""
}

// readInput reads an argument that may be "-" for stdin, up to limit bytes.
func (e *Env) readInput(what string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(e.In, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s from stdin: %w", what, err)
	}
	if int64(len(data)) > limit {
		return nil, &Fault{Code: exitUsage, What: fmt.Sprintf("%s on stdin is larger than %d bytes", what, limit)}
	}
	return data, nil
}
