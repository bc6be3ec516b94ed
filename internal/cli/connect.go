package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	"cordon/internal/api"
	"cordon/internal/app"
	"cordon/internal/config"
	"cordon/internal/strict"
	"cordon/internal/vendor"
)

// configPath is the file that --config or CORDON_CONFIG names.
func (e *Env) configPath() string {
	if e.Flags.Config != "" {
		return e.Flags.Config
	}
	return "cordon.yaml"
}

// overrides are the flags that stand for keys.
func (e *Env) overrides() config.Overrides {
	given := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	o := e.Flags.Overrides
	return config.Overrides{
		Data: given(o.Data), Keys: given(o.Keys), Mirror: given(o.Mirror), Vendors: given(o.Vendors), Directory: given(o.Directory),
		ListenHTTP: given(o.ListenHTTP), ListenProxy: given(o.ListenProxy), ListenSMTP: given(o.ListenSMTP),
		ListenConsole: given(o.ListenConsole), ListenPublic: given(o.ListenPublic),
	}
}

// load reads the configuration; its problems are one error.
func (e *Env) load() (*config.Config, []*vendor.Spec, error) {
	path := e.configPath()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil, &Fault{Code: exitError, What: "there is no configuration at " + path,
			Next: "name it with --config, or let `cordon serve` write one", Cause: err}
	}
	c, specs, problems := config.Load(path, e.overrides())
	if len(problems) > 0 {
		return nil, nil, problemsFault(problems)
	}
	return c, specs, nil
}

func problemsFault(problems []strict.Problem) error {
	lines := make([]string, 0, len(problems)+1)
	lines = append(lines, "the configuration has "+count(len(problems), "problem", "problems"))
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	return &Fault{Code: exitError, What: strings.Join(lines, "\n"), Next: "put it right, then `cordon check`"}
}

// token reads --token-file.
func (e *Env) token() (string, error) {
	if e.Flags.TokenFile == "" {
		return "", nil
	}
	data, err := os.ReadFile(e.Flags.TokenFile)
	if err != nil {
		return "", &Fault{Code: exitUsage, What: "reading --token-file: " + err.Error(), Next: "name the file that holds the token from `cordon user add`", Cause: err}
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &Fault{Code: exitUsage, What: e.Flags.TokenFile + " does not hold a token", Next: "put the one line in it that `cordon user add` printed"}
	}
	return token, nil
}

// office is how a verb reaches the desk: over the socket, at --server, or in
// this process.
type office struct {
	*api.Client
	config *config.Config
	specs  []*vendor.Spec
	close  func()
}

// connect finds whoever can answer. With a server that runs, it is asked; when
// none does, the store is opened read-only in this process.
func (e *Env) connect(ctx context.Context) (*office, error) {
	token, err := e.token()
	if err != nil {
		return nil, err
	}
	if e.Flags.Server != "" {
		client, err := api.Remote(e.Flags.Server, token)
		if err != nil {
			return nil, &Fault{Code: exitUsage, What: err.Error(), Next: "cordon status --server http://127.0.0.1:8480 --token-file FILE"}
		}
		return &office{Client: client, close: func() {}}, nil
	}
	c, specs, err := e.load()
	if err != nil {
		return nil, err
	}
	if api.SocketAlive(c.Data) {
		return &office{Client: api.Socket(c.Data, token), config: c, specs: specs, close: func() {}}, nil
	}
	if token != "" {
		return nil, &Fault{Code: exitError, What: "no server runs, and a token means nothing without one", Next: "start it with `cordon serve`"}
	}
	reader, err := app.OpenReadOnly(ctx, c, specs, app.Options{Now: e.Now, Log: slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return nil, err
	}
	return &office{Client: api.InProcess(reader.Desk()), config: c, specs: specs, close: func() { reader.Close() }}, nil
}
