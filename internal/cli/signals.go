package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

type ctx = context.Context

// interruptible ends with the first interrupt; a second one kills as usual.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
