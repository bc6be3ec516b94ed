package cli

import (
	"log/slog"

	"cordon/internal/app"
	"cordon/internal/config"
	"cordon/internal/strict"
)

type serveCmd struct {
	LogLevel string `enum:"debug,info,warn,error" default:"info" help:"How much to log on stderr: debug, info, warn or error."`
}

func (serveCmd) Examples() []string {
	return []string{
		"cordon serve                      # in an empty folder: writes cordon.yaml, vendors/ and keys/ first",
		"cordon serve --config /etc/cordon/cordon.yaml",
		"cordon serve --listen-http 127.0.0.1:9400 --listen-console 127.0.0.1:9480",
	}
}

func (serveCmd) Help() string {
	return `Prints "ready http=… proxy=… smtp=… console=…" on stderr once all listeners
are up, and a link that opens the console once. Ends on an interrupt, after the
messages on their way.`
}

func (c serveCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	cfg, specs, created, problems := config.LoadOrCreate(e.configPath(), e.overrides())
	if len(problems) > 0 {
		return problemsFault(problems)
	}
	for _, file := range created {
		e.Say("wrote %s", file)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return &Fault{Code: exitUsage, What: err.Error()}
	}
	a, err := app.New(ctx, cfg, specs, app.Options{
		Log:  slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: level})),
		Talk: e.Err,
		Now:  e.Now,
	})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

type checkCmd struct{}

func (checkCmd) Examples() []string {
	return []string{"cordon check", "cordon check --config /etc/cordon/cordon.yaml --json"}
}

func (checkCmd) Run(e *Env) error {
	problems := config.Check(e.configPath(), e.overrides())
	if e.Flags.JSON {
		if err := e.JSON(struct {
			OK       bool             `json:"ok"`
			Problems []strict.Problem `json:"problems"`
		}{len(problems) == 0, problems}); err != nil {
			return err
		}
	} else {
		for _, p := range problems {
			e.Print("%s", p.String())
		}
		if len(problems) == 0 {
			e.Print("%s: nothing wrong", e.configPath())
		}
	}
	if len(problems) > 0 {
		if !e.Flags.JSON {
			e.Say("%s", count(len(problems), "problem", "problems"))
		}
		return silent(exitError)
	}
	return nil
}

type caCmd struct{}

func (caCmd) Examples() []string {
	return []string{"cordon ca > cordon-ca.pem", "curl --proxy http://127.0.0.1:8401 --cacert <(cordon ca) https://api.sendgrid.com/v3/scopes"}
}

func (caCmd) Run(e *Env) error {
	cfg, _, err := e.load()
	if err != nil {
		return err
	}
	pem, err := proxyCA(cfg)
	if err != nil {
		return err
	}
	_, err = e.Out.Write(pem)
	return err
}
