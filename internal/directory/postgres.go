package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// postgresTable reads the answer to a query as it comes. Nothing is changed
// there: the session is read-only.
type postgresTable struct {
	ctx    context.Context
	stop   context.CancelFunc
	conn   *pgx.Conn
	rows   pgx.Rows
	titles []string
	oids   []uint32
	values [][]byte
}

// connectTimeout bounds how long a database may take to let us in.
const connectTimeout = 15 * time.Second

func openPostgres(ctx context.Context, url, query string) (*postgresTable, error) {
	if query == "" {
		return nil, errors.New("a database needs a query, such as SELECT id, email, phone, name, country, language, birth_date FROM people")
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the address of the database cannot be read; it looks like postgres://user@host/database") // the cause may quote a password
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = "cordon"
	config.RuntimeParams["default_transaction_read_only"] = "on"
	config.RuntimeParams["datestyle"] = "ISO"
	ctx, stop := context.WithCancel(ctx)
	t := &postgresTable{ctx: ctx, stop: stop}
	if t.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		stop()
		return nil, fmt.Errorf("connecting to the database %s on %s: %w", config.Database, config.Host, err)
	}
	// Text is what every type has, and what a person would see.
	if t.rows, err = t.conn.Query(ctx, query, pgx.QueryResultFormats{pgx.TextFormatCode}); err == nil {
		err = t.rows.Err()
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("asking the database %s on %s: %w", config.Database, config.Host, err)
	}
	for _, f := range t.rows.FieldDescriptions() {
		t.titles, t.oids = append(t.titles, f.Name), append(t.oids, f.DataTypeOID)
	}
	t.values = make([][]byte, len(t.titles))
	return t, nil
}

func (t *postgresTable) names() []string { return t.titles }

func (t *postgresTable) next() ([][]byte, error) {
	if !t.rows.Next() {
		if err := t.rows.Err(); err != nil {
			return nil, fmt.Errorf("reading from the database: %w", err)
		}
		return nil, io.EOF
	}
	for i, raw := range t.rows.RawValues() {
		t.values[i] = nil
		if raw == nil {
			continue
		}
		switch t.oids[i] {
		case pgtype.TextArrayOID, pgtype.VarcharArrayOID, pgtype.BPCharArrayOID:
			var list []*string
			if err := t.conn.TypeMap().Scan(t.oids[i], pgtype.TextFormatCode, raw, &list); err != nil {
				return nil, errors.New("reading from the database: a list cannot be read")
			}
			b := []byte{'['}
			for _, s := range list {
				if s == nil {
					continue
				}
				if len(b) > 1 {
					b = append(b, ',')
				}
				b = quoteJSON(b, []byte(*s))
			}
			t.values[i] = append(b, ']')
		case pgtype.TimestampOID, pgtype.TimestamptzOID: // of a birth date the day counts
			t.values[i] = quoteJSON(nil, raw[:min(len(raw), len(time.DateOnly))])
		default:
			t.values[i] = quoteJSON(nil, raw)
		}
	}
	return t.values, nil
}

func (t *postgresTable) Close() error {
	t.stop()
	if t.rows != nil {
		t.rows.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return t.conn.Close(ctx)
}
