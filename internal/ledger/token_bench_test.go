package ledger

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"cordon/internal/exposure"
)

// What recording costs with two tokens a message: none, known ones, new ones.
func BenchmarkRecordTokens(b *testing.B) {
	for _, kind := range []string{"none", "known", "new"} {
		b.Run(kind, func(b *testing.B) {
			l := mustOpen(b, b.TempDir())
			var n atomic.Int64
			b.SetParallelism(16)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					i := int(n.Add(1))
					if kind == "known" {
						i %= 100
					}
					who := about(nameMail, email(i))
					m := mail(who)
					if kind != "none" {
						m = withTokens(b, l, m, minted(b, exposure.Email, email(i).Value, who.identifiers),
							minted(b, exposure.Name, fmt.Sprintf("Person Number %d", i), who.identifiers))
					}
					if _, err := l.record(context.Background(), m); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
