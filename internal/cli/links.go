package cli

import (
	"context"
	"fmt"

	"cordon/internal/api"
	"cordon/internal/figure"
)

func (c subjectCmd) links(ctx context.Context, e *Env, o *office, q api.SubjectQuery) error {
	answer, err := o.Links(ctx, q)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(answer)
	}
	if len(answer.Links) == 0 {
		e.Print("nothing was linked to this person since the first message about them, or since the directory named them")
		return nil
	}
	t := e.table("identifier", "linked by", ">entry", "at", "")
	for _, k := range answer.Links {
		note := ""
		if k.Shared {
			note = e.Colour(yellow, "by an address of many")
		}
		t.row(k.Kind, k.How, fmt.Sprint(k.Entry), figure.Instant(k.At), note)
	}
	t.print()
	return nil
}

func (c subjectCmd) unlink(ctx context.Context, e *Env, o *office, q api.SubjectQuery) error {
	answer, err := o.Unlink(ctx, api.SubjectUnlink{SubjectQuery: q, Reason: c.Reason, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(answer)
	}
	by := "the first message about them, or the directory, named it"
	if k := answer.Link; k != nil {
		by = fmt.Sprintf("linked by entry %d (%s) of %s", k.Entry, k.How, figure.Instant(k.At))
	}
	if answer.DryRun {
		e.Print("%s: %s; from then on it would be somebody else's, and what was recorded would stay", answer.Kind, by)
		return nil
	}
	e.Print("%s: %s; from entry %d on it is somebody else's", answer.Kind, by, answer.Entry)
	return nil
}
