package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cordon/evidence"
	"cordon/internal/config"
	"cordon/internal/ledger"
	"cordon/internal/store"
	"cordon/internal/witness"
)

// askWitness is how long a start waits for the witness.
const askWitness = 3 * time.Second

// witnessKey is the key of the one witness that counts, nil without one.
func witnessKey(cfg *config.Config) (*evidence.Witness, error) {
	if cfg.Witness.Key == "" {
		return nil, nil
	}
	key, err := evidence.ParseWitness(cfg.Witness.Key)
	if err != nil {
		return nil, fmt.Errorf("witness.key: %w", err)
	}
	return key, nil
}

// compare asks the witness, before the ledger writes its first byte, for the
// newest head that it cosigned. A ledger that was cut short or replaced since,
// with its files of heads and the mirror, is found out here and nowhere else.
// A witness that cannot be reached does not keep anybody from starting: it
// would be a switch in somebody else's hand.
func (p *parts) compare(ctx context.Context, cfg *config.Config, o Options) func(*ledger.Ledger) error {
	if cfg.Witness.URL == "" {
		return nil
	}
	return func(l *ledger.Ledger) error {
		client, err := witness.NewClient(cfg.Witness.URL, cfg.Witness.Key)
		if err != nil {
			return err
		}
		kept := l.Cosigned()
		p.feed = witness.NewFeed(client, l, witness.FeedOptions{
			Origin: cfg.Origin(), Kept: kept.Note, Size: kept.Size, Late: kept.Late,
			Changed: func(s witness.Status, c witness.Change) { p.noteWitness(ctx, o, s, c) },
			Now:     o.Now, Log: o.Log,
		})
		asking, cancel := context.WithTimeout(ctx, askWitness)
		defer cancel()
		err = p.feed.Check(asking)
		if contradiction, ok := errors.AsType[*witness.Contradiction](err); ok {
			return &store.Refusal{
				What: "the witness " + client.Key().Name() + " cosigned another past of this ledger: " + contradiction.What,
				Step: "keep a copy of the data directory as it is, then restore the newest backup; if entries are lost for good, declare it and have the witness's administrator set the old ledger aside (cordon witness retire)",
			}
		}
		if err != nil {
			o.Log.Warn("the witness could not be asked whether the ledger is the one that it cosigned", "error", err)
		}
		return nil
	}
}

// witnessWords say what an entry about the witness means.
var witnessWords = map[witness.Change]string{
	witness.BecameLate: "late", witness.Recovered: "recovered", witness.Refused: "refused",
	witness.Rewritten: "rewritten", witness.ClockOff: "clock", witness.Forgot: "forgot",
}

// noteWitness records a change, once: the ledger itself says from when to when
// nobody vouched for it.
func (p *parts) noteWitness(ctx context.Context, o Options, s witness.Status, c witness.Change) {
	writing, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	fields := map[string]any{"what": witnessWords[c], "witness": s.Name, "size": s.Size}
	for name, text := range map[string]string{"problem": s.Problem, "rewritten": s.Rewritten} {
		if text != "" {
			fields[name] = text
		}
	}
	if _, err := p.ledger.Append(writing, ledger.Event{Kind: ledger.EventWitness, At: o.Now(), Actor: "cordon", Fields: fields}); err != nil {
		o.Log.Warn("recording how the witness stands", "error", err)
	}
	if c == witness.BecameLate || c == witness.Recovered {
		if err := p.ledger.SetWitnessLate(c == witness.BecameLate); err != nil {
			o.Log.Warn("keeping how the witness stands", "error", err)
		}
	}
}
