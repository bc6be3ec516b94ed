package cli

import (
	"fmt"
	"os"

	"cordon/internal/openapi"
	"cordon/internal/strict"
	"cordon/internal/vendor"
)

type vendorMapCmd struct {
	OpenAPI string `required:"" name:"openapi" placeholder:"FILE" help:"The vendor's description of its API, OpenAPI 3 or Swagger 2, JSON or YAML; - is stdin."`
	Vendor  string `placeholder:"NAME" help:"The vendor's name in the draft (default: from the API's address)."`
	On      string `placeholder:"'METHOD /path'" help:"Only this route."`
}

func (vendorMapCmd) Examples() []string {
	return []string{
		"cordon vendor map --openapi acme.yaml > vendors/acme.yaml",
		"cordon vendor map --openapi acme.json --on 'POST /v1/customers'",
	}
}

// maxDescription bounds a description; the largest published ones have a tenth.
const maxDescription = 128 << 20

// Run needs no server and no configuration: it reads one file.
func (c vendorMapCmd) Run(e *Env) error {
	if c.Vendor != "" {
		if problem, fix := vendor.Kinds.Get("vendor").Problem(c.Vendor); problem != "" {
			return &Fault{Code: exitUsage, What: problem, Next: fix}
		}
	}
	var data []byte
	var err error
	if c.OpenAPI == "-" {
		data, err = e.readInput("the description", maxDescription)
	} else if info, serr := os.Stat(c.OpenAPI); serr == nil && info.Size() > maxDescription {
		err = fmt.Errorf("%s has %s", c.OpenAPI, strict.Size(info.Size()))
	} else {
		data, err = os.ReadFile(c.OpenAPI)
	}
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Next: "name the file with the vendor's OpenAPI description", Cause: err}
	}
	draft, err := openapi.New(data, openapi.Options{Vendor: c.Vendor, On: c.On})
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Next: "name an OpenAPI 3 or Swagger 2 description, as JSON or YAML", Cause: err}
	}
	if c.On != "" && draft.Operations == 0 {
		return &Fault{Code: exitUsage, What: fmt.Sprintf("the description has no route %q", c.On), Next: "write METHOD /path as the description does"}
	}
	if e.Flags.JSON {
		return e.JSON(draft)
	}
	_, err = e.Out.Write(draft.YAML())
	return err
}
