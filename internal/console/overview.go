package console

import (
	"net/http"

	"cordon/internal/api"
)

func (c *Console) frame(r *http.Request, title string, s api.Status) frame {
	actor := api.ActorOf(r.Context())
	return frame{
		Title: title, Organization: s.Organization, Actor: actor.Name, Role: string(actor.Role),
		Ledger: &s.Ledger, Witness: s.Witness, Now: c.now(),
	}
}

// overview is the one page that a responder keeps open. The same address
// answers htmx, which takes the live part out of it.
func (c *Console) overview(w http.ResponseWriter, r *http.Request) error {
	s, err := c.office.Status(r.Context())
	if err != nil {
		return err
	}
	page := overviewPage{
		frame: c.frame(r, "Vendors", s), SubjectsToday: s.SubjectsToday, IndexError: s.IndexError,
		MayChange: api.ActorOf(r.Context()).May(api.ChangeGates),
	}
	for _, v := range s.Vendors {
		rates := c.flow.rates(v.Vendor)
		page.Vendors = append(page.Vendors, vendorRow{
			VendorStatus: v, PerSecond: recentRate(rates), Spark: spark(rates), MayChange: page.MayChange,
		})
		if v.Gate != "open" {
			page.Closed++
		}
	}
	c.draw(w, http.StatusOK, "overview.html", page)
	return nil
}
