package cli

import (
	"errors"
	"net/http"

	"cordon/internal/api"
)

// Exit codes of every verb; scripts rely on them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitRefused     = 3 // by policy: a role, an approval, a classification that refuses
	exitNotVerified = 4
	exitOverdue     = 5
)

const exitCodes = "0 ok · 1 error · 2 usage · 3 refused by policy · 4 not verified · 5 a duty is overdue"

// Fault is an error as a person should read it.
type Fault struct {
	Code int
	What string
	// Next is the step that helps, often a command to paste.
	Next string
	// Cause is wrapped for callers; What already says it in words.
	Cause error
}

func (f *Fault) Error() string { return f.What }
func (f *Fault) Unwrap() error { return f.Cause }

// explain turns any error into its two lines and exit code.
func explain(err error) (what, next string, code int) {
	if fault, ok := errors.AsType[*Fault](err); ok {
		return fault.What, fault.Next, fault.Code
	}
	if problem, ok := errors.AsType[*api.Error](err); ok {
		code = exitError
		switch problem.Status {
		case http.StatusForbidden, http.StatusUnauthorized, http.StatusTooManyRequests:
			code = exitRefused
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			code = exitUsage
		}
		return problem.Detail, problem.Next, code
	}
	if step, ok := errors.AsType[interface {
		error
		Next() string
	}](err); ok {
		return err.Error(), step.Next(), exitError
	}
	return err.Error(), "", exitError
}

// silent is an exit code without words: the answer on stdout said it all.
type silent int

func (s silent) Error() string { return "" }
