// Command cordon-verify checks an evidence bundle on a machine that never
// touches a network, and says in one sentence what does not hold.
//
// It is package evidence as a program: whoever does not trust the binary can
// read and compile it, or write another one from that package's comment.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"cordon/evidence"
)

const (
	exitOK          = 0
	exitUnreadable  = 1
	exitUsage       = 2
	exitNotVerified = 4
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const usage = `Check an evidence bundle, offline.

Usage: cordon-verify [--key FILE|KEY] [--witness FILE|KEY]… [--show] [--json] FILE

  --key FILE|KEY      the ledger's public key (checkpoint.pub), got another way than with the bundle
  --witness FILE|KEY  a witness's public key; that witness must have cosigned
  --show              also print the timeline
  --json              print one JSON value

Exit codes: 0 everything holds · 1 the file cannot be read · 2 usage · 4 something does not hold
`

// failed is what --json prints instead of a report.
type failed struct {
	OK      bool          `json:"ok"`
	Step    evidence.Step `json:"step"`
	Part    string        `json:"part,omitempty"`
	Problem string        `json:"problem"`
}

type held struct {
	OK bool `json:"ok"`
	*evidence.Report
}

func run(args []string, out, talk io.Writer) int {
	flags := flag.NewFlagSet("cordon-verify", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var trust evidence.Trust
	key := flags.String("key", "", "")
	asJSON := flags.Bool("json", false, "")
	show := flags.Bool("show", false, "")
	flags.Func("witness", "", func(s string) error {
		k, err := readKey(s)
		if err == nil {
			_, err = evidence.ParseWitness(k)
		}
		trust.Witnesses = append(trust.Witnesses, k)
		return err
	})
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usage)
		return exitOK
	}
	if err == nil && flags.NArg() != 1 {
		err = errors.New("name one file")
	}
	if err == nil && *key != "" {
		if trust.Key, err = readKey(*key); err == nil {
			if _, bad := note.NewVerifier(trust.Key); bad != nil {
				err = fmt.Errorf("--key: %q is not a ledger's public key", trust.Key)
			}
		}
	}
	if err != nil {
		fmt.Fprintf(talk, "cordon-verify: %v\n\n%s", err, usage)
		return exitUsage
	}

	f, err := os.Open(flags.Arg(0))
	if err != nil {
		fmt.Fprintf(talk, "cordon-verify: %v\n", err)
		return exitUnreadable
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", flags.Arg(0))
	}
	var report *evidence.Report
	if err == nil {
		report, err = evidence.Verify(f, info.Size(), trust)
	}
	failure := (*evidence.Failure)(nil)
	switch {
	case errors.As(err, &failure):
		if *asJSON {
			_ = printJSON(out, failed{false, failure.Step, failure.Part, failure.What}) // texts alone
		} else {
			fmt.Fprintf(out, "NOT VERIFIED: %s.\n", oneLine(failure.What))
		}
		return exitNotVerified
	case err != nil:
		fmt.Fprintf(talk, "cordon-verify: %v\n", err)
		return exitUnreadable
	}
	if *asJSON {
		if err := printJSON(out, held{true, report}); err != nil {
			fmt.Fprintf(talk, "cordon-verify: %v\n", err)
			return exitUnreadable
		}
		return exitOK
	}
	print(out, report)
	if *show {
		timeline(out, report)
	}
	return exitOK
}

// readKey takes a key, or the file that holds one.
func readKey(s string) (string, error) {
	if strings.Count(s, "+") >= 2 {
		if _, err := os.Stat(s); err != nil {
			return s, nil
		}
	}
	data, err := os.ReadFile(s)
	if err != nil {
		return "", fmt.Errorf("%q is neither a key nor a file with one", s)
	}
	return strings.TrimSpace(string(data)), nil
}

// printJSON prints all of a value or nothing; the error is one of the value.
func printJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, _ = w.Write(b.Bytes()) // a closed pipe is the reader's wish
	return nil
}
