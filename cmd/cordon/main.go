// Command cordon is the one gate between an organisation and its vendors; see
// the README, or run it without arguments.
package main

import (
	"os"

	"cordon/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], cli.System())) }
