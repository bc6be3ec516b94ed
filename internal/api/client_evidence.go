package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ExportEvidence copies a bundle to the writer that begin returns; begin gets its
// size, -1 if nobody knows.
func (c *Client) ExportEvidence(ctx context.Context, r EvidenceRequest, begin func(size int64) io.Writer) error {
	path := fmt.Sprintf("/incidents/%s/evidence?redacted=%t&disclosures=%t", url.PathEscape(r.Incident), r.Redacted, r.Disclosures)
	response, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	n, err := io.Copy(begin(response.ContentLength), response.Body)
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	if response.ContentLength >= 0 && n != response.ContentLength {
		return fmt.Errorf("reading the bundle: %d of %d bytes came", n, response.ContentLength)
	}
	return nil
}
