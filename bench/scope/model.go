package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/scope"
)

// The model of who is written to. Of all people 35 % never are; of the others each
// day 50 parts in 100 with probability 1/40, 12 with 8/100, 3 with 1/2, times the
// vendor's scale. The first vendor, with scale 1, reaches 3.7 % on a day and
// 60 % in 90 days. Who is how active has nothing to do with ordinals, which is
// the worst case for a bitmap.
var classes = []struct{ share, daily float64 }{{0.35, 0}, {0.50, 0.025}, {0.12, 0.08}, {0.03, 0.50}}

var scales = []float64{1, 1.3, 1.1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.27}

var firstDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday, which nothing depends on

type model struct {
	People   int    `json:"people"`
	Vendors  int    `json:"vendors"`
	Days     int    `json:"days"`
	Sets     int    `json:"sets"`
	Pathways int    `json:"pathways"`
	Seed     uint64 `json:"seed"`
}

func (m model) vendor(i int) exposure.VendorID {
	return exposure.VendorID(fmt.Sprintf("vendor-%02d", i))
}

func (m model) day(i int) time.Time { return firstDay.AddDate(0, 0, i) }

// end is the first instant after the last day.
func (m model) end() time.Time { return m.day(m.Days) }

func (m model) pathway(vendor, i int) exposure.Pathway {
	return exposure.Pathway{Vendor: m.vendor(vendor), Route: fmt.Sprintf("POST /v1/%c", 'a'+i%10), App: fmt.Sprintf("app-%d", i/10)}
}

// optional are the categories of which a message carries some or none besides the
// address, in the order in which sets are made of them.
var optional = []exposure.Category{exposure.Name, exposure.IPAddress, exposure.Phone, exposure.Address,
	exposure.UserID, exposure.BirthDate, exposure.DeviceID, exposure.Imprecise}

func (m model) set(i int) exposure.Set {
	if m.Sets <= 4 {
		return []exposure.Set{
			exposure.SetOf(exposure.Email, exposure.Name),
			exposure.SetOf(exposure.Email, exposure.IPAddress),
			exposure.SetOf(exposure.Email, exposure.UserID),
			exposure.SetOf(exposure.Email, exposure.Name, exposure.Phone),
		}[i]
	}
	s := exposure.SetOf(exposure.Email)
	for bit, c := range optional {
		if i>>bit&1 != 0 {
			s.Add(c, exposure.Clear)
		}
	}
	return s
}

// hash spreads a number over 64 bits (splitmix64).
func hash(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (m model) class(o uint32) int {
	u := float64(hash(m.Seed^uint64(o))>>11) / (1 << 53)
	for i, c := range classes {
		if u -= c.share; u < 0 {
			return i
		}
	}
	return len(classes) - 1
}

// active are the people of one block by class.
func (m model) active(block int) [][]uint32 {
	by := make([][]uint32, len(classes))
	for o := block << 20; o < min(m.People, (block+1)<<20); o++ {
		if o > 0 { // nobody
			c := m.class(uint32(o))
			by[c] = append(by[c], uint32(o))
		}
	}
	return by
}

func (m model) blocks() int { return (m.People + 1<<20 - 1) >> 20 }

// hours makes the hours of waking ones busier.
var halfHours = func() (table [256]uint8) {
	var sum float64
	weight := func(h int) float64 { return 1.2 - math.Cos(2*math.Pi*float64(h-8)/48) }
	for h := range 48 {
		sum += weight(h)
	}
	i, upTo := 0, 0.0
	for h := range 48 {
		for upTo += weight(h); i < 256 && float64(i) < upTo/sum*256; i++ {
			table[i] = uint8(h)
		}
	}
	return table
}()

// facts draws what one vendor gets on one day about the people of a block.
func (m model) facts(vendor, day, block int, active [][]uint32, out []scope.BulkFact) []scope.BulkFact {
	random := rand.New(rand.NewPCG(m.Seed, uint64(vendor)<<40|uint64(day)<<20|uint64(block)))
	for c, people := range active {
		p := min(classes[c].daily*scales[vendor%len(scales)], 0.95)
		if p == 0 {
			continue
		}
		skip := 1 / math.Log1p(-p)
		for i := int(math.Log(1-random.Float64()) * skip); i < len(people); i += 1 + int(math.Log(1-random.Float64())*skip) {
			r := random.Uint64()
			out = append(out, scope.BulkFact{Ordinal: exposure.Ordinal(people[i]),
				Way: uint16(r >> 8 & 0xffff * uint64(m.Pathways) >> 16), Set: uint16(r >> 24 & 0xffff * uint64(m.Sets) >> 16),
				HalfHour: halfHours[r&255]})
		}
	}
	return out
}

// people are the directory's columns.
func (m model) people() *scope.People {
	p := &scope.People{Countries: []string{""}, States: []string{""}, Languages: []string{""},
		Country: make([]uint8, m.People), State: make([]uint16, m.People), Language: make([]uint8, m.People),
		MinorUntil: make([]uint16, m.People), Directory: make([]uint64, m.People/64+1)}
	for i := range 190 {
		p.Countries = append(p.Countries, string([]byte{'A' + byte(i/26), 'A' + byte(i%26)}))
	}
	for i := range 40 {
		p.Languages = append(p.Languages, strings.ToLower(p.Countries[i+1]))
	}
	for o := range m.People {
		h := hash(m.Seed + 1<<40 + uint64(o))
		u := float64(h>>11) / (1 << 53)
		c := int(190 * u * u * u) // few countries have most people
		p.Country[o], p.Language[o] = uint8(1+c), uint8(1+c%40)
		if h%32 == 0 {
			p.MinorUntil[o] = uint16(firstDay.Unix()/86400 + 1000)
		}
		p.Directory[o/64] |= 1 << (o % 64)
	}
	return p
}
