//! The definitions in `proto/defs` say what the table `proto/wire.tsv` says, no less and no more.
//!
//! Both sides are brought into one form, the rows of the table, and compared as sets. A row of the
//! table that no definition gives (a field left out, say) and a definition that has no row are
//! both failures, named one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MethodDescriptorProto,
};

/// The SHA-256 digest of the table. It changes only together with the facts.
const TABLE_SHA256: &str = "075be766102faf09c5d1aef4807d1bb425fdeacf0e23892f41b806a62900c4c1";

/// Imports that the table states but that bring nothing except options of options, which no
/// message on the wire shows.
const WITHOUT_TRACE: [&str; 3] =
    ["google/api/annotations.proto", "google/protobuf/descriptor.proto", "tagger/v1/tagger.proto"];

/// Rows, in the table's own form.
type Rows = BTreeSet<String>;

/// Something that somebody might do to a definition.
type Change = fn(&mut FileDescriptorProto);

#[test]
fn the_table_is_the_pinned_one() {
    let digest = ring::digest::digest(&ring::digest::SHA256, table().as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, TABLE_SHA256);
}

#[test]
fn definitions_and_table_agree() {
    assert_eq!(disagreements(&rows_of_table(&table()), &rows_of_definitions(&definitions())), "");
}

#[test]
fn the_table_counts_what_it_should() {
    let table = table();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        *kinds.entry(line.split('\t').next().unwrap_or_default()).or_default() += 1;
    }
    // No row is there twice, so comparing sets loses nothing.
    assert_eq!(rows_of_table(&table).len(), kinds.values().sum::<usize>());
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        [("enum", 194), ("field", 2015), ("file", 27), ("message", 820), ("rpc", 317)]
    );
}

#[test]
fn every_change_to_a_definition_is_noticed() {
    let table = rows_of_table(&table());
    let changes: [(&str, Change); 11] = [
        ("field\tproto.rpc.v1.Credentials\t2\tpayload\tstring\t", |file| {
            message(file, "Credentials").field.retain(|field| field.name() != "payload");
        }),
        ("field\tproto.rpc.v1.Credentials\t3\tpayload\tstring\t", |file| {
            field(file, "Credentials", "payload").number = Some(3);
        }),
        ("field\tproto.rpc.v1.Credentials\t2\tpay_load\tstring\t", |file| {
            field(file, "Credentials", "payload").name = Some("pay_load".to_owned());
        }),
        ("field\tproto.rpc.v1.Credentials\t2\tpayload\tbytes\t", |file| {
            field(file, "Credentials", "payload").set_type(Type::Bytes);
        }),
        ("field\tproto.rpc.v1.Credentials\t2\tpayload\tstring\trepeated", |file| {
            field(file, "Credentials", "payload").set_label(Label::Repeated);
        }),
        ("message\tproto.rpc.v1.Credentials", |file| {
            file.message_type.retain(|message| message.name() != "Credentials");
        }),
        ("message\tproto.rpc.v1.Extra", |file| {
            file.message_type
                .push(DescriptorProto { name: Some("Extra".to_owned()), ..Default::default() });
        }),
        ("rpc\tproto.rpc.v1.AuthService/Authenticate", |file| {
            file.service.retain(|service| service.name() != "AuthService");
        }),
        ("AuthenticateResponse\tserver-stream", |file| method(file).server_streaming = Some(true)),
        ("AuthenticateResponse\tclient-stream", |file| method(file).client_streaming = Some(true)),
        ("proto.rpc.v1.AuthenticateToRequest\tproto.rpc.v1.AuthenticateResponse", |file| {
            method(file).input_type = Some(".proto.rpc.v1.AuthenticateToRequest".to_owned());
        }),
    ];
    for (expected, change) in changes {
        let mut set = definitions();
        let file = set.file.iter_mut().find(|file| file.name() == "proto/rpc/v1/auth.proto");
        change(file.expect("a definition of AuthService"));
        let found = disagreements(&table, &rows_of_definitions(&set));
        assert!(found.contains(expected), "{expected:?} is not in:\n{found}");
    }
}

#[test]
fn an_enum_value_a_oneof_and_a_map_are_noticed() {
    let definitions = rows_of_definitions(&definitions());
    for (row, other) in [
        ("enum\tviam.app.v1.", "enum\tviam.app.w1."),
        ("\toneof ", "\toneof x"),
        ("\tmap<string,", "\tmap<bytes,"),
        ("\toptional", "\t"),
    ] {
        let changed: Rows = rows_of_table(&table().replacen(row, other, 1));
        assert_eq!(disagreements(&changed, &definitions).lines().count(), 2, "{row:?}");
    }
}

#[test]
fn the_status_message_is_the_one_of_grpc() {
    let set = definitions();
    let file = set.file.iter().find(|file| file.package() == "google.rpc").expect("google.rpc");
    let mut rows = Rows::new();
    rows_of_file(file, &mut rows);
    assert_eq!(
        rows.into_iter().collect::<Vec<_>>(),
        [
            "field\tgoogle.rpc.Status\t1\tcode\tint32\t",
            "field\tgoogle.rpc.Status\t2\tmessage\tstring\t",
            "field\tgoogle.rpc.Status\t3\tdetails\tgoogle.protobuf.Any\trepeated",
            "file\tgoogle/rpc/status.proto\tgoogle.rpc\timports google/protobuf/any.proto",
            "message\tgoogle.rpc.Status",
        ]
    );
}

/// The table as it lies there.
fn table() -> String {
    fs::read_to_string(viam_codegen::proto_dir().join("wire.tsv")).expect("proto/wire.tsv")
}

/// The compiled definitions.
fn definitions() -> FileDescriptorSet {
    viam_codegen::compile(&viam_codegen::proto_dir().join("defs")).expect("definitions")
}

/// What is on one side only, a line each; nothing if both sides agree.
fn disagreements(table: &Rows, definitions: &Rows) -> String {
    let missing = table.difference(definitions).map(|row| format!("only in the table: {row}\n"));
    let extra = definitions.difference(table).map(|row| format!("only in proto/defs: {row}\n"));
    missing.chain(extra).collect()
}

fn rows_of_table(table: &str) -> Rows {
    table.lines().filter(|line| !line.starts_with('#')).map(without_traceless_imports).collect()
}

/// A row as it is, save that a file's imports are cleared of those that leave no trace.
fn without_traceless_imports(line: &str) -> String {
    match line.strip_prefix("file\t").and_then(|rest| rest.split_once("\timports ")) {
        Some((file, imports)) => row_of_file(file, imports.split(' ')),
        None => line.to_owned(),
    }
}

fn row_of_file<'a>(file: &str, imports: impl Iterator<Item = &'a str>) -> String {
    let imports: BTreeSet<&str> =
        imports.filter(|import| !WITHOUT_TRACE.contains(import) && !import.is_empty()).collect();
    format!("file\t{file}\timports {}", imports.into_iter().collect::<Vec<_>>().join(" "))
}

/// The rows that the definitions give, Google's own files left aside.
fn rows_of_definitions(set: &FileDescriptorSet) -> Rows {
    let mut rows = Rows::new();
    for file in set.file.iter().filter(|file| !file.package().starts_with("google.")) {
        rows_of_file(file, &mut rows);
    }
    rows
}

fn rows_of_file(file: &FileDescriptorProto, rows: &mut Rows) {
    let package = file.package();
    assert_eq!(file.syntax(), "proto3", "{}", file.name());
    assert!(file.extension.is_empty() && file.options.is_none(), "{}", file.name());
    rows.insert(row_of_file(
        &format!("{}\t{package}", file.name()),
        file.dependency.iter().map(String::as_str),
    ));
    for service in &file.service {
        for method in &service.method {
            rows.insert(format!(
                "rpc\t{package}.{}/{}\t{}\t{}\t{}",
                service.name(),
                method.name(),
                absolute(method.input_type()),
                absolute(method.output_type()),
                streaming(method),
            ));
        }
    }
    rows_of_enums(package, &file.enum_type, rows);
    for message in &file.message_type {
        rows_of_message(package, message, rows);
    }
}

fn rows_of_enums(scope: &str, enums: &[EnumDescriptorProto], rows: &mut Rows) {
    for r#enum in enums {
        for value in &r#enum.value {
            let row =
                format!("enum\t{scope}.{}\t{}\t{}", r#enum.name(), value.number(), value.name());
            rows.insert(row);
        }
    }
}

fn rows_of_message(scope: &str, message: &DescriptorProto, rows: &mut Rows) {
    let name = format!("{scope}.{}", message.name());
    for field in &message.field {
        // An option, such as another encoding of a list, would not show in the table.
        assert!(field.options.is_none(), "{name}.{}", field.name());
        let entry = map_entry(message, field);
        let kind = match entry {
            Some(entry) => {
                format!("map<{},{}>", type_of(&entry.field[0]), type_of(&entry.field[1]))
            }
            None => type_of(field),
        };
        let label = if entry.is_some() { String::new() } else { label_of(message, field) };
        let (number, field) = (field.number(), field.name());
        rows.insert(format!("field\t{name}\t{number}\t{field}\t{kind}\t{label}"));
    }
    rows_of_enums(&name, &message.enum_type, rows);
    for nested in message.nested_type.iter().filter(|nested| !is_map_entry(nested)) {
        rows_of_message(&name, nested, rows);
    }
    rows.insert(format!("message\t{name}"));
}

/// The message that the compiler made for a field of type `map`.
fn map_entry<'a>(
    message: &'a DescriptorProto,
    field: &FieldDescriptorProto,
) -> Option<&'a DescriptorProto> {
    let name = field.type_name().rsplit('.').next()?;
    message.nested_type.iter().find(|nested| is_map_entry(nested) && nested.name() == name)
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(|options| options.map_entry())
}

fn label_of(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    if field.label() == Label::Repeated {
        return "repeated".to_owned();
    }
    if field.proto3_optional() {
        return "optional".to_owned();
    }
    match field.oneof_index {
        Some(index) => format!("oneof {}", message.oneof_decl[index as usize].name()),
        None => String::new(),
    }
}

fn type_of(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => absolute(field.type_name()).to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

fn absolute(name: &str) -> &str {
    name.trim_start_matches('.')
}

fn streaming(method: &MethodDescriptorProto) -> &'static str {
    match (method.client_streaming(), method.server_streaming()) {
        (false, false) => "unary",
        (true, false) => "client-stream",
        (false, true) => "server-stream",
        (true, true) => "bidi",
    }
}

fn message<'a>(file: &'a mut FileDescriptorProto, name: &str) -> &'a mut DescriptorProto {
    file.message_type.iter_mut().find(|message| message.name() == name).expect("a message")
}

fn field<'a>(
    file: &'a mut FileDescriptorProto,
    of: &str,
    name: &str,
) -> &'a mut FieldDescriptorProto {
    message(file, of).field.iter_mut().find(|field| field.name() == name).expect("a field")
}

/// The one method of `AuthService`.
fn method(file: &mut FileDescriptorProto) -> &mut MethodDescriptorProto {
    let mut services = file.service.iter_mut();
    let service = services.find(|service| service.name() == "AuthService");
    &mut service.expect("AuthService").method[0]
}
