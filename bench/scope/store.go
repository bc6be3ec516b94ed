package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cordon/internal/app"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// opened is a ledger with the index of a model.
type opened struct {
	model  model
	made   made
	ledger *ledger.Ledger
	index  *scope.Index
}

// source is the ledger with the model's directory instead of its own.
type source struct {
	scope.Source
	scope.Scanner
	people *scope.People
}

func (s source) People() (*scope.People, error) { return s.people, nil }

func open(m model, dir string) (*opened, error) {
	k, ok, err := madeWith(dir)
	if err != nil {
		return nil, err
	}
	if ok && k.Model != m {
		return nil, fmt.Errorf("%s was made for %+v", dir, k.Model)
	}
	if !ok {
		if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
			return nil, err
		}
	}
	l, err := openLedger(dir, m.Seed)
	if err != nil {
		return nil, err
	}
	db := l.Store().DB()
	if !ok {
		began := time.Now()
		k = made{Model: m}
		if err := m.record(l); err != nil {
			return nil, err
		}
		k.Recorded = l.Status().Size
		k.Recording = time.Since(began).Seconds()
		began = time.Now()
		if k.Facts, err = m.generate(db); err != nil {
			return nil, err
		}
		k.Seconds = time.Since(began).Seconds()
	}
	s := &opened{model: m, made: k, ledger: l}
	j := app.Journal(l)
	s.index, err = scope.Open(scope.Options{DB: db, Apply: l.Store().ApplyLazy, Source: source{j, j, m.people()}, Now: m.end})
	if err != nil {
		return nil, err
	}
	if err := s.index.Sync(context.Background()); err != nil {
		return nil, err
	}
	if ok {
		return s, nil
	}
	// What the follower read of the ledger is flushed by closing it.
	if err := s.index.Close(); err != nil {
		return nil, err
	}
	if err := errors.Join(db.Flush(), db.Compact(context.Background(), []byte{0}, []byte{0xff}, true)); err != nil {
		return nil, err
	}
	s.index, err = scope.Open(scope.Options{DB: db, Apply: l.Store().ApplyLazy, Source: source{j, j, m.people()}, Now: m.end})
	if err != nil {
		return nil, err
	}
	return s, k.write(dir)
}

func (s *opened) close() error { return errors.Join(s.index.Close(), s.ledger.Close()) }
