package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"cordon/internal/ledger"
)

// Users is who may log in: a fold over the ledger's user events, so that who
// was given which power by whom is part of the record. Tokens are kept only as
// keyed digests.
//
// Up to two users are added by one person. From then on, and for ever, adding
// a user or changing a role waits for a second user, who existed before the
// request and is neither who asked nor whom it is about. The socket's owner
// never counts as that second user.
type Users struct {
	record recorder
	key    [32]byte // of token digests
	now    func() time.Time

	mu sync.Mutex // guards everything below
	// byName holds every user ever added; order is that of the ledger.
	byName map[string]*userState
	order  []string
	// paired is set once two users were active.
	paired bool
}

// recorder is what Users need of the ledger: durable on return.
type recorder interface {
	Append(ctx context.Context, e ledger.Event) (uint64, error)
}

type userState struct {
	User
	digest string
	// since is the entry that made the user active; wish the entry that waits
	// for approval, zero when none does.
	since, wish uint64
	wishBy      string
}

// NewUsers starts with nobody; Fold brings in what the ledger holds.
func NewUsers(record recorder, key [32]byte, now func() time.Time) *Users {
	return &Users{record: record, key: key, now: now, byName: map[string]*userState{}}
}

// Fold takes one entry of the ledger, in order. Other entries are ignored.
func (u *Users) Fold(e ledger.Entry) {
	if e.Kind != ledger.KindEvent || e.Event.Kind != ledger.EventUser {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fold(e.Seq, e.Event)
}

func (u *Users) fold(seq uint64, e ledger.Event) {
	text := func(name string) string { s, _ := e.Fields[name].(string); return s }
	name := text("user")
	switch text("op") {
	case "add":
		if u.byName[name] != nil {
			return
		}
		s := &userState{
			User:   User{User: name, Role: text("role"), Added: e.At, By: e.Actor, State: "active"},
			digest: text("digest"), since: seq,
		}
		if u.paired {
			s.State, s.since, s.wish, s.wishBy = "waiting", 0, seq, e.Actor
		}
		u.byName[name] = s
		u.order = append(u.order, name)
	case "role":
		s := u.byName[name]
		if s == nil || s.State != "active" {
			return
		}
		if s.wish != 0 { // see ChangeRole
			return
		}
		if u.paired {
			s.Wants, s.wish, s.wishBy = text("role"), seq, e.Actor
		} else {
			s.Role = text("role")
		}
	case "approve":
		s := u.byName[name]
		if s == nil || s.wish == 0 {
			return
		}
		if s.State == "waiting" {
			s.State, s.since = "active", seq
		} else {
			s.Role, s.Wants = s.Wants, ""
		}
		s.ApprovedBy, s.wish, s.wishBy = e.Actor, 0, ""
	}
	active := 0
	for _, s := range u.byName {
		if s.State == "active" {
			active++
		}
	}
	u.paired = u.paired || active >= 2
}

// commit makes the event durable and only then folds it: what the ledger does
// not hold did not happen.
func (u *Users) commit(ctx context.Context, actor Actor, fields map[string]any) error {
	e := ledger.Event{Kind: ledger.EventUser, At: u.now(), Actor: actor.Name, Fields: fields}
	seq, err := u.record.Append(ctx, e)
	if err != nil {
		return err
	}
	u.fold(seq, e)
	return nil
}

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// Add makes a user and shows the token, once.
func (u *Users) Add(ctx context.Context, name string, role Role) (NewUser, error) {
	actor, err := may(ctx, ManageUsers)
	if err != nil {
		return NewUser{}, err
	}
	if !userName.MatchString(name) || name == LocalActor.Name {
		return NewUser{}, problem(http.StatusUnprocessableEntity, "user-name-invalid",
			"use small letters, digits, dot, dash and underscore", "%q cannot be a user's name", name)
	}
	if err := knownRole(role); err != nil {
		return NewUser{}, err
	}
	token := "cordon_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random(25)))
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byName[name] != nil {
		return NewUser{}, problem(http.StatusConflict, "user-exists",
			"choose another name, or change the role with `cordon user role "+name+" ROLE`", "the user %s exists already", name)
	}
	if err := u.commit(ctx, actor, map[string]any{"op": "add", "user": name, "role": string(role), "digest": u.digest(token)}); err != nil {
		return NewUser{}, err
	}
	made := NewUser{User: name, Role: string(role), Token: token}
	if u.byName[name].State == "waiting" {
		made.Needs = "approval"
	}
	return made, nil
}

// ChangeRole gives a user another role, or asks for it once there are two.
func (u *Users) ChangeRole(ctx context.Context, name string, role Role) (User, error) {
	actor, err := may(ctx, ManageUsers)
	if err != nil {
		return User{}, err
	}
	if err := knownRole(role); err != nil {
		return User{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.byName[name]
	if s == nil || s.State != "active" {
		return User{}, noSuchUser(name)
	}
	if s.wish != 0 {
		// An approval names the user, not the role: a wish that could be put in
		// the place of another would be approved unseen.
		return User{}, problem(http.StatusConflict, "wish-waiting",
			"let another user run `cordon user approve "+name+" --token-file FILE` first", "%s waits to become %s already", name, s.Wants)
	}
	if err := u.commit(ctx, actor, map[string]any{"op": "role", "user": name, "role": string(role)}); err != nil {
		return User{}, err
	}
	return s.User, nil
}

// Approve is the second user's word.
func (u *Users) Approve(ctx context.Context, name string) (User, error) {
	actor := ActorOf(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	s, second := u.byName[name], u.byName[actor.Name]
	if s == nil || s.wish == 0 {
		return User{}, noSuchUser(name)
	}
	refuse := func(detail string) (User, error) {
		return User{}, problem(http.StatusForbidden, "second-user-needed",
			"let another user run `cordon user approve "+name+" --token-file FILE`", "%s", detail)
	}
	switch {
	case actor.Local || second == nil || second.State != "active":
		return refuse("the socket's owner does not count as the second of two")
	case actor.Role == Viewer:
		return refuse("a viewer may not approve")
	case actor.Name == s.wishBy:
		return refuse("who asked may not approve")
	case actor.Name == name:
		return refuse("nobody approves themselves")
	case second.since > s.wish:
		return refuse("a user who came after the request may not approve it")
	}
	if err := u.commit(ctx, actor, map[string]any{"op": "approve", "user": name}); err != nil {
		return User{}, err
	}
	return s.User, nil
}

// Since is the entry that made a user active; false when nobody active has
// that name.
func (u *Users) Since(name string) (uint64, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.byName[name]
	if s == nil || s.State != "active" {
		return 0, false
	}
	return s.since, true
}

// List shows everybody, in the order in which they came.
func (u *Users) List(ctx context.Context) (UserList, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return UserList{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	list := UserList{}
	for _, name := range u.order {
		list.Users = append(list.Users, u.byName[name].User)
	}
	return list, nil
}

// Who finds the active user of a token. The digest is looked for among all
// users in constant time each; users are few.
func (u *Users) Who(token string) (Actor, bool) {
	digest := []byte(u.digest(token))
	u.mu.Lock()
	defer u.mu.Unlock()
	var found *userState
	for _, s := range u.byName {
		if hmac.Equal(digest, []byte(s.digest)) && s.State == "active" {
			found = s
		}
	}
	if found == nil {
		return Actor{}, false
	}
	return Actor{Name: found.User.User, Role: Role(found.Role)}, true
}

// waiting is the user of a token who still waits for a second user's approval, ""
// for any other token.
func (u *Users) waiting(token string) (name string) {
	digest := []byte(u.digest(token))
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range u.byName {
		if hmac.Equal(digest, []byte(s.digest)) && s.State == "waiting" {
			name = s.User.User
		}
	}
	return name
}

// current is the actor as the ledger has it now: a session must not keep a
// role that was changed since.
func (u *Users) current(a Actor) (Actor, bool) {
	if a.Local {
		return a, true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.byName[a.Name]
	if s == nil || s.State != "active" {
		return Actor{}, false
	}
	return Actor{Name: a.Name, Role: Role(s.Role)}, true
}

func (u *Users) digest(token string) string {
	mac := hmac.New(sha256.New, u.key[:])
	mac.Write([]byte("token\x00" + token))
	return hex.EncodeToString(mac.Sum(nil)[:20])
}

func knownRole(role Role) error {
	if slices.Contains(Roles(), role) {
		return nil
	}
	names := make([]string, 0, len(powers))
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return problem(http.StatusUnprocessableEntity, "role-unknown", "use one of "+strings.Join(names, ", "), "there is no role %q", role)
}

func noSuchUser(name string) error {
	return problem(http.StatusNotFound, "user-unknown", "cordon user list", "nothing waits for the user %q, or there is no such user", name)
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24: it crashes the program instead
	return b
}
