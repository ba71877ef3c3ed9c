#!/bin/sh
# Makes an authority of its own and a certificate for each party of a NATS server: the server by the names under which
# it is reached, the three nodes, and the admin who makes streams.
#
#   certificates.sh FOLDER SERVER-NAME [ANOTHER-NAME ...]
#
# What is there already is kept. To each host go ca.crt and its own pair; ca.key belongs on no host at all.
set -eu
umask 077
[ $# -ge 2 ] || { echo "usage: certificates.sh FOLDER SERVER-NAME [ANOTHER-NAME ...]" >&2; exit 2; }
folder=$1; shift
mkdir -p "$folder"; cd "$folder"
names=
for name in "$@"; do
    case $name in
        *[!0-9.]*) kind=DNS ;;
        *) kind=IP ;;
    esac
    names="$names${names:+,}$kind:$name"
done
quietly() { said=$("$@" 2>&1) || { echo "$said" >&2; exit 1; }; }
curve="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
if [ ! -f ca.crt ]; then
    quietly openssl req -x509 $curve -days 3650 -subj "/CN=vanta nats authority" -keyout ca.key -out ca.crt \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
fi
for who in server alpha markets executor admin; do
    [ -f "$who.crt" ] && continue
    use="keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth"
    [ "$who" = server ] && use="keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=$names"
    printf '%s\n' "$use" > "$who.use"
    quietly openssl req -new $curve -subj "/CN=$who" -keyout "$who.key" -out "$who.request"
    quietly openssl x509 -req -in "$who.request" -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -extfile "$who.use" \
        -out "$who.crt"
    rm "$who.use" "$who.request"
done
chmod 644 ./*.crt
