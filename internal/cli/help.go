package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// exampler is a verb with examples that can be pasted.
type exampler interface{ Examples() []string }

// printHelp prints what a verb is, how it is called, examples and exit codes.
func printHelp(_ kong.HelpOptions, ctx *kong.Context) error {
	var b strings.Builder
	node := ctx.Selected()
	if node == nil {
		appHelp(&b, ctx.Model)
	} else {
		nodeHelp(&b, node)
	}
	_, err := fmt.Fprint(ctx.Stdout, b.String())
	return err
}

func appHelp(b *strings.Builder, app *kong.Application) {
	fmt.Fprintf(b, "%s\n\nUsage: cordon VERB [flags]\n", app.Help)
	group := ""
	for _, verb := range app.Children {
		if verb.Hidden {
			continue
		}
		if verb.Group != nil && verb.Group.Title != group {
			group = verb.Group.Title
			fmt.Fprintf(b, "\n%s\n", group)
		}
		fmt.Fprintf(b, "  %-10s %s\n", verb.Name, verb.Help)
	}
	b.WriteString("\nFlags of every verb\n")
	writeFlags(b, app.Flags)
	b.WriteString(`
Examples
  $ cordon serve                     # writes a configuration if there is none
  $ cordon cut acme-mail --dry-run   # what would stop
  $ cordon cut acme-mail
  $ cordon scope acme-mail --since 2026-02-03

`)
	fmt.Fprintf(b, "Exit codes: %s\n", exitCodes)
	b.WriteString("Help for a verb: cordon VERB --help\n")
}

func nodeHelp(b *strings.Builder, node *kong.Node) {
	fmt.Fprintf(b, "%s\n\nUsage: %s\n", node.Help, usage(node))
	if node.Detail != "" {
		fmt.Fprintf(b, "\n%s\n", strings.TrimSpace(node.Detail))
	}
	if len(node.Children) > 0 {
		b.WriteString("\n")
		for _, child := range node.Children {
			fmt.Fprintf(b, "  %-10s %s\n", child.Name, child.Help)
		}
	}
	if len(node.Positional) > 0 {
		b.WriteString("\nArguments\n")
		for _, arg := range node.Positional {
			fmt.Fprintf(b, "  %-28s %s\n", argName(arg), arg.Help)
		}
	}
	var own []*kong.Flag
	for _, flag := range node.Flags {
		if !flag.Hidden && flag.Name != "help" {
			own = append(own, flag)
		}
	}
	if len(own) > 0 {
		b.WriteString("\nFlags\n")
		writeFlags(b, own)
	}
	if ex, ok := node.Target.Addr().Interface().(exampler); ok {
		b.WriteString("\nExamples\n")
		for _, line := range ex.Examples() {
			fmt.Fprintf(b, "  $ %s\n", line)
		}
	}
	fmt.Fprintf(b, "\nExit codes: %s\nFlags of every verb: cordon --help\n", exitCodes)
}

// usage is the line that shows a verb's grammar.
func usage(node *kong.Node) string {
	parts := []string{node.FullPath()}
	if len(node.Children) > 0 {
		parts = append(parts, "VERB")
	}
	for _, arg := range node.Positional {
		name := argName(arg)
		if !arg.Required {
			name = "[" + name + "]"
		}
		parts = append(parts, name)
	}
	for _, flag := range node.Flags {
		if flag.Hidden || flag.Name == "help" {
			continue
		}
		text := "--" + flag.Name
		if !flag.IsBool() {
			text += " " + flag.FormatPlaceHolder()
		}
		if !flag.Required {
			text = "[" + text + "]"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func argName(arg *kong.Positional) string {
	if arg.Tag != nil && arg.Tag.PlaceHolder != "" {
		return arg.Tag.PlaceHolder
	}
	return strings.ToUpper(arg.Name)
}

func writeFlags(b *strings.Builder, flags []*kong.Flag) {
	for _, flag := range flags {
		if flag.Hidden || flag.Name == "help" {
			continue
		}
		name := "--" + flag.Name
		if flag.Short != 0 {
			name = fmt.Sprintf("-%c, %s", flag.Short, name)
		}
		if !flag.IsBool() {
			name += " " + flag.FormatPlaceHolder()
		}
		fmt.Fprintf(b, "  %-28s %s\n", name, flag.Help)
	}
}
