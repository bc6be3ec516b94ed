package cli

import (
	"cordon/internal/api"
	"cordon/internal/figure"
)

type userCmd struct {
	Add     userAddCmd     `cmd:"" help:"Add a user; the token is printed once."`
	List    userListCmd    `cmd:"" help:"List the users and what waits for approval."`
	Role    userRoleCmd    `cmd:"" help:"Give a user another role."`
	Approve userApproveCmd `cmd:"" help:"Approve, as a second user, what waits for approval."`
}

func (userCmd) Help() string {
	return `Roles: viewer (figures), auditor (figures, people), vendor-manager (figures,
route test), counsel (figures, people), responder (also cut and restore),
administrator (everything). Once two users exist, adding one or changing a role
waits for a second user's approval.`
}

type userAddCmd struct {
	Name string `arg:"" help:"The user's name: small letters, digits, dot, dash."`
	Role string `required:"" placeholder:"ROLE" help:"viewer, auditor, vendor-manager, counsel, responder or administrator."`
}

func (userAddCmd) Examples() []string {
	return []string{"cordon user add dana --role responder", "cordon user add dana --role counsel --json | jq -r .token > dana.token"}
}

func (c userAddCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	u, err := o.AddUser(ctx, c.Name, api.Role(c.Role))
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(u)
	}
	e.Print("%s", u.Token)
	e.Say("this token of %s (%s) is not shown again; use it with --token-file", u.User, u.Role)
	if u.Needs != "" {
		e.Say("next: another user runs `cordon user approve %s --token-file FILE`; until then it does not work", u.User)
	}
	return nil
}

type userListCmd struct{}

func (userListCmd) Examples() []string { return []string{"cordon user list"} }

func (userListCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	list, err := o.Users(ctx)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(list)
	}
	if len(list.Users) == 0 {
		e.Say("no users yet; the owner of the data directory acts as local")
		e.Say("next: cordon user add NAME --role administrator")
		return nil
	}
	t := e.table("user", "role", "state", "added", "by", "approved by")
	for _, u := range list.Users {
		state := u.State
		if u.Wants != "" {
			state = "wants " + u.Wants
		}
		t.row(u.User, u.Role, state, figure.Ago(u.Added, e.Now()), u.By, u.ApprovedBy)
	}
	t.print()
	return nil
}

type userRoleCmd struct {
	Name string `arg:"" help:"The user."`
	Role string `arg:"" help:"The new role."`
}

func (userRoleCmd) Examples() []string { return []string{"cordon user role dana administrator"} }

func (c userRoleCmd) Run(e *Env) error {
	return e.userChange(func(o *office, ctx ctx) (api.User, error) { return o.ChangeRole(ctx, c.Name, api.Role(c.Role)) })
}

type userApproveCmd struct {
	Name string `arg:"" help:"The user whose request is approved."`
}

func (userApproveCmd) Examples() []string {
	return []string{"cordon user approve dana --token-file alex.token"}
}

func (c userApproveCmd) Run(e *Env) error {
	return e.userChange(func(o *office, ctx ctx) (api.User, error) { return o.ApproveUser(ctx, c.Name) })
}

func (e *Env) userChange(do func(*office, ctx) (api.User, error)) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	u, err := do(o, ctx)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(u)
	}
	if u.Wants != "" {
		e.Print("%s is %s and waits to become %s", u.User, u.Role, u.Wants)
		e.Say("next: another user runs `cordon user approve %s --token-file FILE`", u.User)
		return nil
	}
	e.Print("%s is %s, %s", u.User, u.Role, u.State)
	return nil
}
