// Witness checks what Dodomu publishes of its custody log, with Go's own notes and trees and none of Dodomu's code.
//
// It reads one JSON object a line and answers each with one line: "ok", or why not.
//
//	{"vkey": "…", "note": "…"}                                        the note is a checkpoint signed by this log
//	{…, "leaf": base64, "index": 3, "inclusion": [base64, …]}         and this leaf is in it, at this index
//	{…, "older": "…", "consistency": [base64, …]}                     and it goes on from that older note
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Vkey        string   `json:"vkey"`
	Note        string   `json:"note"`
	Leaf        []byte   `json:"leaf"`
	Index       int64    `json:"index"`
	Inclusion   [][]byte `json:"inclusion"`
	Older       string   `json:"older"`
	Consistency [][]byte `json:"consistency"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var asked question
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			err = check(asked)
		}
		if err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Println("ok")
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(asked question) error {
	head, err := opened(asked.Note, asked.Vkey)
	if err != nil {
		return err
	}
	if asked.Inclusion != nil {
		proof, err := hashes(asked.Inclusion)
		if err != nil {
			return err
		}
		if asked.Index < 0 || asked.Index >= head.N {
			return errors.New("no such leaf")
		}
		if err := tlog.CheckRecord(proof, head.N, head.Hash, asked.Index, tlog.RecordHash(asked.Leaf)); err != nil {
			return err
		}
	}
	if asked.Consistency != nil {
		older, err := opened(asked.Older, asked.Vkey)
		if err != nil {
			return err
		}
		proof, err := hashes(asked.Consistency)
		if err != nil {
			return err
		}
		return tlog.CheckTree(proof, head.N, head.Hash, older.N, older.Hash)
	}
	return nil
}

// opened reads a checkpoint (c2sp.org/tlog-checkpoint) whose signature holds.
func opened(signed, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	read, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(read.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, errors.New("not a checkpoint")
	}
	if lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("a checkpoint of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errors.New("not a size")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errors.New("not a root")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

func hashes(given [][]byte) ([]tlog.Hash, error) {
	proof := make([]tlog.Hash, len(given))
	for i, one := range given {
		if len(one) != tlog.HashSize {
			return nil, errors.New("not a hash")
		}
		copy(proof[i][:], one)
	}
	return proof, nil
}
