package main

import (
	"fmt"
	"log"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"cordon/internal/scope"
)

// generate writes the index of the model and returns how many facts it has.
func (m model) generate(db *pebble.DB) (uint64, error) {
	b := scope.NewBulk(db)
	for v := range m.Vendors {
		for i := range m.Pathways {
			if n, err := b.Way(m.pathway(v, i)); err != nil || int(n) != i {
				return 0, fmt.Errorf("way %d is number %d: %w", i, n, err)
			}
		}
		for i := range m.Sets {
			if n := b.Set(m.vendor(v), m.set(i)); int(n) != i {
				return 0, fmt.Errorf("set %d is number %d", i, n)
			}
		}
	}
	// Messages by vendor, day, way and half hour.
	counts := make([][48]uint64, m.Vendors*m.Days*m.Pathways)
	var mu sync.Mutex
	var total, done atomic.Uint64
	var next atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, runtime.GOMAXPROCS(0))
	began := time.Now()
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			var facts []scope.BulkFact
			for block := int(next.Add(1)) - 1; block < m.blocks(); block = int(next.Add(1)) - 1 {
				active := m.active(block)
				for v := range m.Vendors {
					mine := make([][48]uint64, m.Days*m.Pathways)
					for d := range m.Days {
						facts = withoutEdges(m, d, m.facts(v, d, block, active, facts[:0]))
						for _, f := range facts {
							mine[d*m.Pathways+int(f.Way)][f.HalfHour]++
						}
						total.Add(uint64(len(facts)))
						if err := b.Day(m.vendor(v), m.day(d), uint16(block), facts); err != nil {
							failed <- err
							return
						}
					}
					if err := b.RollUp(m.vendor(v), uint16(block), m.end()); err != nil {
						failed <- err
						return
					}
					mu.Lock()
					for i := range mine {
						for h, n := range mine[i] {
							counts[v*m.Days*m.Pathways+i][h] += n
						}
					}
					mu.Unlock()
				}
				log.Printf("block %d of %d, %d million facts, %.0f s", done.Add(1), m.blocks(), total.Load()/1e6, time.Since(began).Seconds())
			}
		})
	}
	all.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return 0, err
	}
	for v := range m.Vendors {
		for d := range m.Days {
			for way := range m.Pathways {
				if err := b.Tally(m.vendor(v), m.day(d), uint16(way), &counts[(v*m.Days+d)*m.Pathways+way]); err != nil {
					return 0, err
				}
			}
		}
	}
	return total.Load(), b.Finish(m.end())
}
