package vendor

import (
	"errors"
	"fmt"
	"slices"

	"cordon/internal/strict"
)

// maxDecoders is how deep a classifier opens one format inside another; paths
// that go deeper would never find anything.
const maxDecoders = 3

// gives says what each decoder makes of a string, and so which step may follow
// it. Every one may also be the last: the category then covers all that is in
// the string.
var gives = map[string]struct {
	keys, list bool
	noun, next string
}{
	"json":      {true, true, "any value", ""},
	"base64":    {false, false, "text or bytes", "say what they hold, such as |base64|json"},
	"form":      {true, false, "keys", "write |form.key"},
	"mime":      {true, false, "headers, text[], html[] and attachments[]", "write |mime.subject or |mime.text[]"},
	"xml":       {true, false, "the name of the outermost element", "write |xml.Name"},
	"lines":     {false, true, "a list", "write |lines[] before what stands in a line"},
	"csv":       {false, true, "a list", "write |csv[].column; the header line names the columns"},
	"addresses": {false, true, "a list", "write |addresses[].email and |addresses[].name"},
}

// ruled is an error that knows what to write instead.
type ruled struct{ problem, fix string }

func (r ruled) Error() string { return r.problem }

// possible says why no message can hold what the steps lead to. The steps may
// be the whole way or its end: # may come first when a * precedes.
func possible(steps []Step) error {
	decoders := 0
	for i, s := range steps {
		var before, last Step
		if i > 0 {
			before = steps[i-1]
		}
		if i > 1 {
			last = steps[i-2]
		}
		if before.Kind == StepOwnKey {
			return ruled{"# is a key, and nothing lies below a key", "end the path with #"}
		}
		if s.Kind == StepOwnKey && i > 0 && before.Kind != StepAny {
			return ruled{"# does not stand directly below a *", "write *.#, or subjects that end with * and the field \"#\""}
		}
		if s.Kind == StepDecode {
			if !slices.Contains(Decoders, s.Decoder) {
				return ruled{fmt.Sprintf("there is no decoder %q", "|"+s.Decoder), strict.Suggest(s.Decoder, Decoders)}
			}
			if decoders++; decoders > maxDecoders {
				return ruled{fmt.Sprintf("it opens more than %d formats one inside the other", maxDecoders), "map what is further inside as a whole"}
			}
		}
		if before.Kind == StepDecode {
			if err := mayFollow(before.Decoder, s); err != nil {
				return err
			}
		}
		if last.Decoder == "addresses" && (s.Kind != StepKey || s.Key != "email" && s.Key != "name") {
			return ruled{"an element of |addresses[] has only email and name", "write |addresses[].email and |addresses[].name"}
		}
	}
	return nil
}

func mayFollow(decoder string, s Step) error {
	g := gives[decoder]
	fits := s.Kind == StepItem && g.list || (s.Kind == StepKey || s.Kind == StepAny) && g.keys
	if s.Kind == StepDecode {
		fits = decoder == "base64"
	}
	if fits {
		return nil
	}
	fix := g.next
	if fix == "" {
		fix = "remove one of the two decoders"
	}
	return ruled{fmt.Sprintf("|%s gives %s", decoder, g.noun), fix}
}

// pathProblem turns ParsePath's error into what a person reads.
func pathProblem(path string, err error) (problem, fix string) {
	if err == nil {
		return "", ""
	}
	fix = `write keys with dots and [], such as "personalizations[].to[]"; "." is the body`
	var r ruled
	if errors.As(err, &r) {
		fix = r.fix
	}
	return fmt.Sprintf("%q is not a path: %v", path, err), fix
}

func checkPath(v string) (string, string) {
	_, err := ParsePath(v)
	return pathProblem(v, err)
}
