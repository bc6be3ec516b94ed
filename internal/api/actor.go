package api

import (
	"context"
	"net/http"
	"slices"
)

// Role is what a user is trusted with.
type Role string

// The roles, from least to most.
const (
	Viewer        Role = "viewer"
	Auditor       Role = "auditor"
	VendorManager Role = "vendor-manager"
	Counsel       Role = "counsel"
	Responder     Role = "responder"
	Administrator Role = "administrator"
)

// Roles lists all roles.
func Roles() []Role {
	return []Role{Viewer, Auditor, VendorManager, Counsel, Responder, Administrator}
}

// Power is one thing that a role allows.
type Power string

const (
	// SeeFigures: status, scope, vendors, the ledger. No person appears in them.
	SeeFigures Power = "see figures"
	// TryMessages: route test, which shows what the sender put into the message.
	TryMessages Power = "try messages"
	// ReadPeople: subject, export. Each such read is an entry of the ledger.
	ReadPeople Power = "read about people"
	// ChangeGates: cut, hold, restore.
	ChangeGates Power = "change gates"
	// LoadPeople: directory import.
	LoadPeople Power = "load the directory"
	// CloseFindings: say what was decided about a finding.
	CloseFindings Power = "close findings"
	// ChangeTokens: begin epochs of tokens, and shred.
	ChangeTokens Power = "change tokens"
	// KeepStore: back up the ledger, read all of it.
	KeepStore Power = "look after the store"
	// HandleIncidents: open, state facts, note, freeze, close.
	HandleIncidents Power = "handle incidents"
	// ApproveSteps: be one of the two who approve a step of an incident.
	ApproveSteps Power = "approve steps"
	// DeclareHoldings: say what a vendor held before Cordon, and take in what it
	// attests to have deleted.
	DeclareHoldings Power = "declare what vendors hold"
	// FreezeScopes: keep an answer, and say whose data was accessed.
	FreezeScopes Power = "freeze scopes"
	// HandOutEvidence: export bundles. Each export is an entry of the ledger.
	HandOutEvidence Power = "hand out evidence"
	// ErasePeople: make nothing lead to a person any more. Not undone.
	ErasePeople Power = "erase people"
	// HoldErasure: set and lift legal holds.
	HoldErasure Power = "set legal holds"
	// ManageUsers: add users and change roles.
	ManageUsers Power = "manage users"
)

// powers is the whole of who may do what.
var powers = map[Role][]Power{
	Viewer:        {SeeFigures},
	Auditor:       {SeeFigures, TryMessages, ReadPeople, HandOutEvidence},
	VendorManager: {SeeFigures, TryMessages, CloseFindings, DeclareHoldings, ApproveSteps},
	Counsel:       {SeeFigures, TryMessages, ReadPeople, CloseFindings, DeclareHoldings, FreezeScopes, HandleIncidents, ApproveSteps, HandOutEvidence, ErasePeople, HoldErasure},
	Responder:     {SeeFigures, TryMessages, ReadPeople, ChangeGates, CloseFindings, DeclareHoldings, FreezeScopes, HandleIncidents, ApproveSteps},
	Administrator: {SeeFigures, TryMessages, ReadPeople, ChangeGates, CloseFindings, HandleIncidents, ApproveSteps, LoadPeople, DeclareHoldings, FreezeScopes, ChangeTokens, KeepStore, ManageUsers, HandOutEvidence, ErasePeople, HoldErasure},
}

// Actor is who asks.
type Actor struct {
	Name string
	Role Role
	// Local is the socket's owner: an administrator who never counts as the
	// second of two approvals.
	Local bool
}

// LocalActor is the owner of the socket, or of the process without a server.
var LocalActor = Actor{Name: "local", Role: Administrator, Local: true}

type actorKey struct{}

// WithActor says in whose name the work under ctx is done.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf is who asks; without anybody it has no role and may do nothing.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// May reports whether the actor has the power.
func (a Actor) May(p Power) bool { return slices.Contains(powers[a.Role], p) }

// may is the first line of every operation: the desk itself holds the rule, so
// that no front end can forget it.
func may(ctx context.Context, p Power) (Actor, error) {
	a := ActorOf(ctx)
	if a.Name == "" {
		return a, problem(http.StatusUnauthorized, "not-authenticated",
			"send `Authorization: Bearer TOKEN`, or open the link that `cordon serve` printed",
			"nobody is logged in")
	}
	if !a.May(p) {
		return a, problem(http.StatusForbidden, "role-not-allowed",
			"ask somebody whose role allows it; `cordon user list` shows the roles",
			"the role %s may not %s", a.Role, p)
	}
	return a, nil
}
