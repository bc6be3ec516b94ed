package cli

import (
	"bytes"
	"fmt"
	"os"

	"filippo.io/age"

	"cordon/internal/vault"
)

type keysCmd struct {
	Backup  keysBackupCmd  `cmd:"" help:"Write all keys into one file, encrypted to every recipient."`
	Restore keysRestoreCmd `cmd:"" help:"Write the keys of a backup into an empty folder."`
}

func (keysCmd) Help() string {
	return `Without its keys a ledger can neither be continued nor read. A backup of the
data directory never holds them: keep this one elsewhere.`
}

type keysBackupCmd struct {
	Output         string   `short:"o" required:"" placeholder:"FILE" help:"The file to write; it must not exist."`
	Recipient      []string `short:"r" placeholder:"AGE1…" help:"Who can open it; may be given several times."`
	RecipientsFile string   `short:"R" placeholder:"FILE" help:"A file of recipients, one a line."`
}

func (keysBackupCmd) Examples() []string {
	return []string{"cordon keys backup -r age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p -o cordon-keys.age"}
}

func (c keysBackupCmd) Run(e *Env) error {
	var recipients []age.Recipient
	for _, text := range c.Recipient {
		parsed, err := age.ParseRecipients(bytes.NewBufferString(text))
		if err != nil {
			return &Fault{Code: exitUsage, What: "this is no age recipient: " + err.Error(), Next: "make one with `age-keygen`", Cause: err}
		}
		recipients = append(recipients, parsed...)
	}
	if c.RecipientsFile != "" {
		data, err := os.ReadFile(c.RecipientsFile)
		if err != nil {
			return &Fault{Code: exitError, What: err.Error(), Cause: err}
		}
		parsed, err := age.ParseRecipients(bytes.NewReader(data))
		if err != nil {
			return &Fault{Code: exitUsage, What: c.RecipientsFile + ": " + err.Error(), Next: "one recipient a line", Cause: err}
		}
		recipients = append(recipients, parsed...)
	}
	if len(recipients) == 0 {
		return &Fault{Code: exitUsage, What: "a backup that nobody can open is none", Next: "give --recipient, better two; make one with `age-keygen`"}
	}
	cfg, _, err := e.load()
	if err != nil {
		return err
	}
	if err := vault.Backup(cfg.KeySource(), recipients, c.Output, cfg.Data); err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(map[string]any{"file": c.Output, "recipients": len(recipients)})
	}
	e.Print("%s: all keys, for %s", c.Output, count(len(recipients), "recipient", "recipients"))
	e.Say("next: keep it on another machine, and try `cordon keys restore` once")
	return nil
}

type keysRestoreCmd struct {
	File     string   `arg:"" help:"The backup."`
	Identity []string `short:"i" required:"" placeholder:"FILE" help:"The age identity that opens it; may be given several times."`
	To       string   `required:"" placeholder:"DIR" help:"An empty or absent folder."`
}

func (keysRestoreCmd) Examples() []string {
	return []string{"cordon keys restore cordon-keys.age -i key.txt --to ./keys"}
}

func (c keysRestoreCmd) Run(e *Env) error {
	var identities []age.Identity
	for _, path := range c.Identity {
		data, err := os.ReadFile(path)
		if err != nil {
			return &Fault{Code: exitError, What: err.Error(), Cause: err}
		}
		parsed, err := age.ParseIdentities(bytes.NewReader(data))
		if err != nil {
			return &Fault{Code: exitUsage, What: path + ": " + err.Error(), Next: "give a file with AGE-SECRET-KEY-…", Cause: err}
		}
		identities = append(identities, parsed...)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return &Fault{Code: exitError, What: err.Error(), Cause: err}
	}
	defer f.Close()
	if err := vault.Restore(f, identities, c.To); err != nil {
		return fmt.Errorf("restoring keys from %s: %w", c.File, err)
	}
	if e.Flags.JSON {
		return e.JSON(map[string]any{"folder": c.To})
	}
	e.Print("%s", c.To)
	e.Say("next: set `keys: %s` in cordon.yaml, then `cordon check`", c.To)
	return nil
}
