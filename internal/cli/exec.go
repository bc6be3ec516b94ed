package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cordon/internal/config"
	"cordon/internal/exec"
	"cordon/internal/vault"
)

type execCmd struct {
	Vendor  string   `placeholder:"VENDOR" help:"Limit the command to this vendor: every other host is refused."`
	App     string   `placeholder:"APP" help:"Send as this app; needed where several are configured."`
	Print   bool     `help:"Print the environment as shell exports instead of running a command."`
	Command []string `arg:"" optional:"" passthrough:"" name:"cmd" help:"The command and its arguments, after two dashes."`
}

func (execCmd) Help() string {
	return `Sets the proxy and certificate variables for Go, curl, Python, Ruby, git, Java and Deno, and puts a preload into
Node, whose https module and fetch obey no variable. NO_PROXY is overwritten: only loopback stays direct.
Signals are passed on, and the exit code is the command's. Java says once on stderr that it picked up JAVA_TOOL_OPTIONS.
Not caught: programs that open sockets themselves, SMTP (use the relay), and npm's mixpanel 0.24.0, which fails
when any proxy variable is set.`
}

func (execCmd) Examples() []string {
	return []string{
		"cordon exec -- node server.js",
		"cordon exec --vendor acme-mail -- python3 send.py",
		`eval "$(cordon exec --print)"`,
	}
}

func (c *execCmd) Run(env *Env) error {
	argv := c.Command
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	if c.Print == (len(argv) > 0) {
		return &Fault{Code: exitUsage, What: "exec wants a command, or --print", Next: "cordon exec -- CMD…"}
	}
	plan, err := c.plan(env)
	if err != nil {
		return err
	}
	if c.Print {
		// A shell outlives this process, so these files stay; the folder's name
		// keeps two gateways of one user apart.
		cache, err := os.UserCacheDir()
		if err != nil {
			return &Fault{Code: exitError, What: "there is no folder for the certificates: " + err.Error(), Next: "set HOME or XDG_CACHE_HOME"}
		}
		id := sha256.Sum256(append([]byte(plan.Proxy+"\n"+plan.App+"\n"), plan.CA...))
		return execFault(exitError, plan.Print(env.Out, filepath.Join(cache, "cordon", fmt.Sprintf("exec-%x", id[:8]))))
	}
	code, err := plan.Run(context.Background(), argv)
	if err != nil {
		return execFault(code, err)
	}
	if code != 0 {
		return silent(code)
	}
	return nil
}

// plan turns the configuration into where the traffic goes.
func (c *execCmd) plan(env *Env) (exec.Plan, error) {
	cfg, specs, err := env.load()
	if err != nil {
		return exec.Plan{}, err
	}
	plan := exec.Plan{Proxy: cfg.Listen.Proxy, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if plan.Proxy == "" {
		return plan, &Fault{Code: exitError, What: "this Cordon has no forward proxy: listen.proxy is empty", Next: "set listen.proxy in " + cfg.File}
	}
	for _, s := range specs {
		// The names in `hosts`, not the upstream's: that may be a simulator or
		// a private address on this machine, which apps reach as before.
		plan.Hosts = append(plan.Hosts, s.Manifest.Hosts...)
		if string(s.ID) == c.Vendor {
			plan.Only = append([]string{}, s.Hosts...)
		}
	}
	if c.Vendor != "" && plan.Only == nil {
		return plan, &Fault{Code: exitUsage, What: fmt.Sprintf("no vendor is called %q", c.Vendor), Next: "cordon vendor list"}
	}
	if plan.CA, err = proxyCA(cfg); err != nil {
		return plan, err
	}
	plan.App, plan.Token, err = c.sender(cfg)
	return plan, err
}

// sender is the app to send as, with its token; empty where none is configured.
func (c *execCmd) sender(cfg *config.Config) (app, token string, err error) {
	if len(cfg.Apps) == 0 {
		if c.App != "" {
			return "", "", &Fault{Code: exitUsage, What: "no apps are configured", Next: "leave --app away, or add it under apps in " + cfg.File}
		}
		return "", "", nil
	}
	var names []string
	for _, a := range cfg.Apps {
		names = append(names, a.App)
		if a.App != c.App && (c.App != "" || len(cfg.Apps) > 1) {
			continue
		}
		keys, err := vault.Open(cfg.KeySource(), vault.Options{})
		if err != nil {
			return "", "", fmt.Errorf("opening the keys for the token of app %s: %w", a.App, err)
		}
		secret, err := keys.Secret(a.Token)
		if err != nil {
			return "", "", fmt.Errorf("reading the token of app %s: %w", a.App, err)
		}
		return a.App, secret.Reveal(), nil
	}
	return "", "", &Fault{Code: exitUsage, What: "which app sends is not clear; configured are " + strings.Join(names, ", "), Next: "cordon exec --app " + names[0] + " -- CMD…"}
}

// proxyCA reads ca.pem. From a folder of keys that needs no right to the
// private ones, which a process that only runs apps should not have.
func proxyCA(cfg *config.Config) ([]byte, error) {
	if cfg.Keys.Dir != "" {
		pem, err := os.ReadFile(filepath.Join(cfg.Keys.Dir, "ca.pem"))
		if errors.Is(err, os.ErrNotExist) {
			return nil, &Fault{Code: exitError, What: "there is no ca.pem in " + cfg.Keys.Dir, Next: "start Cordon once, it makes its keys: cordon serve", Cause: err}
		}
		if err != nil {
			return nil, fmt.Errorf("reading the proxy's certificate: %w", err)
		}
		return pem, nil
	}
	keys, err := vault.Open(cfg.KeySource(), vault.Options{})
	if err != nil {
		return nil, fmt.Errorf("opening the keys for the proxy's certificate: %w", err)
	}
	pem, ok := keys.Public("ca.pem")
	if !ok {
		return nil, &Fault{Code: exitError, What: "the key provider holds no ca.pem", Next: "start Cordon once, it makes its keys: cordon serve"}
	}
	return pem, nil
}

// execFault splits the two lines of the engine's errors. The code is a
// shell's: 126, 127, or 1.
func execFault(code int, err error) error {
	if err == nil {
		return nil
	}
	what, next, _ := strings.Cut(err.Error(), "\n")
	return &Fault{Code: code, What: what, Next: next, Cause: err}
}
