package api

import (
	"errors"
	"fmt"
	"net/http"

	"cordon/internal/incident"
)

// Error is a problem detail (RFC 9457) with two members more: Reason, a
// kebab-case word for programs, and Next, the step that helps. Nothing in it is
// a personal value or an internal path.
type Error struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title,omitempty"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Reason string `json:"reason"`
	Next   string `json:"next"`
}

func (e *Error) Error() string  { return e.Detail }
func (e *Error) GetStatus() int { return e.Status }

// ContentType is asked by huma for the type of an error answer.
func (e *Error) ContentType(string) string { return "application/problem+json" }

// problem makes an Error; detail is a sentence without a full stop.
func problem(status int, reason, next, detail string, args ...any) *Error {
	return &Error{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: fmt.Sprintf(detail, args...), Reason: reason, Next: next,
	}
}

// nexter is an error that knows the step that helps.
type nexter interface {
	error
	Next() string
}

// asProblem makes an answer of any error. What is not already a problem is our
// own failure: its words go to the client too, because whoever reads them runs
// this machine, but never a stack or a value.
func asProblem(err error) *Error {
	if p, ok := errors.AsType[*Error](err); ok {
		return p
	}
	if e, ok := errors.AsType[*incident.Error](err); ok {
		return refusal(e)
	}
	next := "see the server's log, then `cordon status`"
	if n, ok := errors.AsType[nexter](err); ok {
		next = n.Next()
	}
	return problem(http.StatusInternalServerError, "internal", next, "%v", err)
}

// refusal puts what an incident refuses on the wire.
func refusal(e *incident.Error) *Error {
	status := http.StatusUnprocessableEntity
	switch {
	case e.Refused:
		status = http.StatusForbidden
	case e.Conflict:
		status = http.StatusConflict
	case e.Reason == "unknown-incident" || e.Reason == "unknown-step":
		status = http.StatusNotFound
	}
	return problem(status, e.Reason, e.Next, "%s", e.What)
}
