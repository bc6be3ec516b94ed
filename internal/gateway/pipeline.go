package gateway

import (
	"context"
	"net/http"

	"cordon/internal/exposure"
	"cordon/internal/minimize"
)

// Serve is the way of a message. It answers x in every case and returns when
// the exchange is over. It panics with http.ErrAbortHandler when an answer
// that was begun cannot be finished, which is how net/http is told to break
// the connection off instead of passing a cut answer as a whole one.
//
// Every line below may be the last one that runs. What a crash leaves behind is
// said at each step.
func (g *Gateway) Serve(ctx context.Context, x *Exchange) {
	v := x.Vendor

	// 1. Route. By the path alone, before anything of the message is read.
	//    Crash: nothing happened.
	if p := x.admissible(); p != nil {
		g.refuse(x, "", p)
		return
	}
	credential := g.credentialOf(x)
	route := x.route()
	strip(x.Header, route)

	// 2. Gate. Registered under the lock that a cut takes, so that a cut either is
	//    seen here or finds this message; from here on it can cancel us. Only
	//    after this step is the body asked for (100 Continue).
	//    Crash: nothing happened; the gate's state is in its file.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	passage, err := v.gate.Enter(cancel, live(x, route, credential))
	if err != nil {
		g.refuse(x, route.Name, closed(err))
		return
	}
	defer passage.Leave()
	v.counters.inFlight.Add(1)
	defer v.counters.inFlight.Add(-1)

	// 3. Classify. Whose personal data is it, and which? What cannot be read is
	//    incomplete, never empty.
	//    Crash: the app sees a broken connection; nothing left.
	message, p := g.take(x)
	if p != nil {
		g.refuse(x, route.Name, p)
		return
	}
	findings := v.classifier.Classify(route, message)
	findings.Search(g.o.Known)

	session, err := g.session(x, message)
	if err != nil {
		g.unrecorded(ctx, x, route.Name)
		return
	}
	way := exposure.Pathway{Vendor: v.ID(), Route: route.Name, Credential: credential, App: x.Sender.App}
	for attempt := (attempt{passage: passage, x: x, route: route, tooLarge: message.TooLarge}); ; {
		// 4. Minimise. What the vendor need not know is gone from Cleared, a token
		//    in its place; the policy may hold or refuse what is incomplete.
		cleared, decision := minimize.Clear(&findings, v.spec, session.tokens())
		if decision.Verdict != exposure.Pass {
			g.refuse(x, route.Name, byPolicy(decision))
			return
		}
		attempt.cleared = &cleared

		// 5. Record. Returns when the disclosure is on disk, and with it what each
		//    new token stands for: none leaves that cannot be resolved. An error means that
		//    the ledger does not record, and then nothing is forwarded, in shadow
		//    mode neither: what is not recorded cannot be answered for (promise 7).
		//    Crash: the entry has no outcome and reads "may have been exposed".
		receipt, err := g.o.Recorder.Record(ctx, g.disclosure(x, way, &cleared, session, attempt.earlier))
		if attempt.taken(err) {
			continue // another message took a short token a moment ago
		}
		if err != nil {
			g.unrecorded(ctx, x, route.Name)
			return
		}
		v.counters.recorded(g.o.Now())
		if g.o.Watch != nil && attempt.earlier == 0 {
			g.o.Watch.Recorded(&findings, v.ID(), route.Name, g.o.Now())
		}

		// 6. Forward. The receipt is redeemed before the first byte.
		//    Crash: as above, and now it may be true.
		response, outcome, err := v.out.forward(ctx, &attempt, receipt)

		// 7. Outcome. Queued, not waited for: lost in a crash, it reads as above.
		g.o.Recorder.Settle(receipt, outcome)
		v.counters.settled(outcome)
		if err != nil {
			if attempt.again(ctx, outcome, receipt.Seq()) {
				continue // a new attempt is a new disclosure with its own entry
			}
			failed(ctx, err, outcome, receipt.Seq()).WriteTo(x.Answer)
			return
		}

		// 8. Answer, as it arrives; tokens become values again on routes that may
		//    see them, each on record before it is shown.
		//    Crash: the app sees a broken connection.
		g.learn(&attempt, &findings, response, receipt.Seq())
		if err := v.answer(x.Answer, response, g.wayBack(ctx, x, route)); err != nil {
			g.o.Log.Debug("answer broken off", "vendor", v.ID(), "error", err)
			panic(http.ErrAbortHandler)
		}
		return
	}
}
