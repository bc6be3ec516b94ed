package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"cordon/internal/care"
)

// Backup has the server copy its ledger to a path of its machine.
func (c *Client) Backup(ctx context.Context, r BackupRequest, progress func(care.Progress)) (*care.Done, error) {
	var b bytes.Buffer
	if err := Encode(&b, r, false); err != nil {
		return nil, err
	}
	l, err := c.careful(ctx, "/ledger/backup", &b, progress)
	return l.Backup, err
}

// ScrubNow has everything read.
func (c *Client) ScrubNow(ctx context.Context, progress func(care.Progress)) (care.ScrubStatus, error) {
	l, err := c.careful(ctx, "/ledger/scrub", nil, progress)
	if err != nil || l.Scrub == nil {
		return care.ScrubStatus{}, err
	}
	return *l.Scrub, nil
}

// Scrubbed is what the last reading of everything found.
func (c *Client) Scrubbed(ctx context.Context) (s care.ScrubStatus, err error) {
	return s, c.call(ctx, http.MethodGet, "/ledger/scrub", nil, &s)
}

// careful reads progress until the last line.
func (c *Client) careful(ctx context.Context, path string, body io.Reader, progress func(care.Progress)) (CareLine, error) {
	response, err := c.do(ctx, http.MethodPost, path, "application/json", body)
	if err != nil {
		return CareLine{}, err
	}
	defer response.Body.Close()
	lines := jsontext.NewDecoder(response.Body)
	for {
		line, err := lines.ReadValue()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if ctx.Err() != nil {
			return CareLine{}, ctx.Err()
		}
		if err != nil {
			return CareLine{}, fmt.Errorf("the answer ended early: %w", err)
		}
		var l CareLine
		if err := json.Unmarshal(line, &l); err != nil {
			return CareLine{}, fmt.Errorf("reading the answer: %w", err)
		}
		switch {
		case l.Error != nil:
			return l, l.Error
		case l.Progress == nil:
			return l, nil
		case progress != nil:
			progress(*l.Progress)
		}
	}
}
