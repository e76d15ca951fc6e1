package benchmark

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"
)

// header is the first line of a journal: what its answers are to.
type header struct {
	Bench   string `json:"bench"`
	By      string `json:"by"`
	Votes   int    `json:"votes"`
	Critic  string `json:"critic"`
	Asks    int    `json:"asks"`
	Prompts string `json:"prompts"`
}

// line is an answer in a journal. Read is for people: it is read anew from Answer.
type line struct {
	Row       int    `json:"row"`
	ID        string `json:"id"`
	Read      string `json:"read"`
	Answer    string `json:"answer"`
	TokensIn  int64  `json:"tokens_in,omitempty"`
	TokensOut int64  `json:"tokens_out,omitempty"`
}

// Journal keeps answers in a file of JSON lines to which each is appended as it
// comes, so that an interruption loses none.
type Journal struct {
	mu      sync.Mutex
	file    *os.File // nil where answers are kept in memory alone
	entries map[int]Entry
	synced  time.Time
}

// OpenJournal opens the journal of a task and a critic, by the critic's name. A file
// with answers to anything else is refused. A last line that was cut short is
// dropped. Without a path nothing is kept on disk.
func OpenJournal(path string, t *Task, critic string) (*Journal, error) {
	j := &Journal{entries: map[int]Entry{}}
	if path == "" {
		return j, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644) //nolint:gosec // of the person's own
	if err != nil {
		return nil, fmt.Errorf("benchmark: opening the answers: %w", err)
	}
	j.file = file
	if err := j.load(path, header{t.Set.Name, t.By, t.Votes, critic, len(t.asks), t.Prompts()}); err != nil {
		return nil, errors.Join(fmt.Errorf("benchmark: %w", err), file.Close())
	}
	return j, nil
}

func (j *Journal) load(path string, own header) error {
	text, err := io.ReadAll(j.file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	rows := bytes.Split(text[:whole], []byte{'\n'})
	if whole > 0 {
		if err := own.matches(path, rows[0]); err != nil {
			return err
		}
		for i, row := range rows[1 : len(rows)-1] {
			if err := j.read(row, own.Asks); err != nil {
				return fmt.Errorf("%s:%d: %w", path, i+2, err)
			}
		}
	} else if len(text) > 0 && !bytes.HasPrefix(text, []byte(`{"bench":`)) { // not a header that was cut short
		return fmt.Errorf("%s: got a file that is none of answers; give --out another name", path)
	}
	if err := j.file.Truncate(int64(whole)); err != nil {
		return fmt.Errorf("%s: dropping a line that was cut short: %w", path, err)
	}
	if whole == 0 {
		return j.write(own)
	}
	return nil
}

// matches compares a journal's first line with what is asked now.
func (h header) matches(path string, row []byte) error {
	var kept header
	d := json.NewDecoder(bytes.NewReader(row))
	d.DisallowUnknownFields()
	if err := d.Decode(&kept); err != nil || kept.Bench == "" {
		return fmt.Errorf("%s:1: got a file that is none of answers; give --out another name", path)
	}
	for _, c := range []struct {
		what       string
		kept, mine any
	}{
		{"the benchmark", kept.Bench, h.Bench}, {"asked by", kept.By, h.By}, {"votes", kept.Votes, h.Votes},
		{"the agent", kept.Critic, h.Critic}, {"the number of asks", kept.Asks, h.Asks},
	} {
		if c.kept != c.mine {
			return fmt.Errorf("%s: it holds other answers: %s was %v, is %v; give --out another name", path, c.what, c.kept, c.mine)
		}
	}
	if kept.Prompts != h.Prompts {
		return fmt.Errorf("%s: it holds answers to other data, or to prompts of another version; give --out another name", path)
	}
	return nil
}

func (j *Journal) read(row []byte, asks int) error {
	var l line
	if err := json.Unmarshal(row, &l); err != nil {
		return fmt.Errorf("broken JSON: %w", err)
	}
	if l.Row < 0 || l.Row >= asks {
		return fmt.Errorf("got row %d, expected 0 to %d", l.Row, asks-1)
	}
	j.entries[l.Row] = Entry{l.Answer, l.TokensIn, l.TokensOut}
	return nil
}

// Has tells whether there is an answer.
func (j *Journal) Has(row int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, found := j.entries[row]
	return found
}

// Entries are all answers so far, by row.
func (j *Journal) Entries() map[int]Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.entries)
}

// Add keeps an answer.
func (j *Journal) Add(t *Task, a Ask, e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	word, valid := t.Read(e.Answer)
	if !valid {
		word = "invalid"
	}
	if err := j.write(line{a.Row, a.ID, word, e.Answer, e.TokensIn, e.TokensOut}); err != nil {
		return err
	}
	j.entries[a.Row] = e
	return nil
}

// write appends a line in one call, and once a second has the disk take what came.
func (j *Journal) write(v any) error {
	if j.file == nil {
		return nil
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // for people to read
	err := e.Encode(v)
	if err == nil {
		_, err = j.file.Write(text.Bytes())
	}
	if err == nil && time.Since(j.synced) > time.Second {
		err, j.synced = j.file.Sync(), time.Now()
	}
	if err != nil {
		return fmt.Errorf("benchmark: keeping an answer: %w", err)
	}
	return nil
}

// Close closes the file.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	if err := errors.Join(j.file.Sync(), j.file.Close()); err != nil {
		return fmt.Errorf("benchmark: closing the answers: %w", err)
	}
	return nil
}
