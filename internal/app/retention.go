package app

import "time"

// How often it is looked whether something is to be forgotten. A day expires
// within an hour of its time, and an erased person's country within an hour of
// the letter of the last vendor that had it.
const retentionEvery = time.Hour

// retain forgets what the policy and the erasures say is to be forgotten, at
// the start and from then on.
func (a *App) retain() {
	said := map[string]string{} // of days that are held, so that each is said once
	for {
		a.retainOnce(said)
		select {
		case <-a.ctx.Done():
			return
		case <-time.After(retentionEvery):
		}
	}
}

func (a *App) retainOnce(said map[string]string) {
	n, err := a.desk.DropErased(a.ctx)
	switch {
	case a.ctx.Err() != nil:
		return
	case err != nil:
		a.o.Log.Warn("attributes of erased people could not be forgotten", "error", err)
	case n > 0:
		a.o.Log.Info("no vendor holds data of erased people any more: their country, language and age are forgotten", "people", n)
	}
	x, err := a.desk.ExpireDue(a.ctx, false)
	if a.ctx.Err() != nil {
		return
	}
	for _, d := range x.Days {
		if d.Expired {
			a.o.Log.Info("the disclosures of a day have expired", "day", d.Day, "policy", x.Policy)
		}
		if d.HeldBy != said[d.Day] {
			said[d.Day] = d.HeldBy
			if d.HeldBy != "" {
				a.o.Log.Warn("a day is kept past its time", "day", d.Day, "policy", x.Policy, "held", d.HeldBy)
			}
		}
	}
	if err != nil {
		a.o.Log.Warn("days could not be expired", "error", err, "next", "cordon ledger expire --dry-run")
	}
}
